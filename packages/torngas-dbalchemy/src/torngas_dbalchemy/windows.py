"""The parameters of LIMIT and OFFSET, made once per number.

SQLAlchemy makes a new parameter of each number for each statement, at a thirtieth of the price of a small query.
Statements may share one: it is never changed, and its value is read from the statement that is executed.

    select(User).limit(limit_of(20)).offset(offset_of(40))
"""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import select

__all__ = ["limit_of", "offset_of"]


def limit_of(number: Any) -> Any:
    """Answers what `limit()` makes of the number; anything that is no int is answered as it is."""
    return _limit(number) if type(number) is int else number


def offset_of(number: Any) -> Any:
    """Answers what `offset()` makes of the number; anything that is no int is answered as it is."""
    return _offset(number) if type(number) is int else number


@functools.lru_cache(maxsize=512)
def _limit(number: int) -> Any:
    return select().limit(number)._limit_clause


@functools.lru_cache(maxsize=512)
def _offset(number: int) -> Any:
    return select().offset(number)._offset_clause
