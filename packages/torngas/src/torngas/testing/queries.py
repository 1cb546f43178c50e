"""How many statements a block sends to databases.

with assert_num_queries(2):
    client.get("/posts")
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["assert_num_queries"]


@contextmanager
def assert_num_queries(expected: int) -> Iterator[list[str]]:
    """Fails if the block sends more or fewer statements to databases, through SQLAlchemy, than expected.

    Statements of all engines of the process count, those of other threads too; BEGIN, COMMIT and what a pool asks
    its connections does not. Without an error in the block nothing else is changed.

    Yields:
        The statements so far, a list that grows.

    Raises:
        AssertionError: the number is another; the message lists them.
    """
    from sqlalchemy import Engine, event

    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    if len(seen) != expected:
        listed = "".join(f"\n  {number}. {statement}" for number, statement in enumerate(seen, 1))
        raise AssertionError(f"assert_num_queries: got {len(seen)} statements; expected {expected}{listed}")
