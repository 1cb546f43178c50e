"""Pieces of SQL from Python values: lists, conditions, alternatives.

"SELECT * FROM t WHERE id IN " + sqlquote([1, 2])  # <sql: 'SELECT * FROM t WHERE id IN (1, 2)'>
"""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Mapping, ValuesView
from typing import Any

from .queries import SQLParam, SQLQuery

__all__ = ["EMPTY_LIST", "sqllist", "sqlors", "sqlquote", "sqlwhere"]

EMPTY_LIST = "(SELECT NULL FROM (SELECT 1) AS no_rows WHERE 1=0)"
"""A list without elements. `IN ()` is an error on servers, and `NOT IN (NULL)` would never be true."""

_LISTS = (list, tuple, set, frozenset, range, KeysView, ValuesView)


def sqlquote(a: Any) -> SQLQuery:
    """Makes a value safe for a query: it becomes a parameter.

    Args:
        a: a value. A list, tuple or set becomes a list for `IN`, each element a parameter; tuples and sets lose
            their duplicates, an empty one contains nothing, and lists within are rows. A query stays as it is.
    """
    if isinstance(a, SQLQuery):
        return SQLQuery(a)
    if isinstance(a, SQLParam):
        return a.sqlquery()
    if not isinstance(a, _LISTS):
        return SQLParam(a).sqlquery()
    values = _distinct(a) if isinstance(a, tuple | set | frozenset) else list(a)
    return _listed(values) if values else SQLQuery(EMPTY_LIST)


def _listed(values: Iterable[Any]) -> SQLQuery:
    parts = [_listed(value) if isinstance(value, list | tuple) else SQLParam(value) for value in values]
    return SQLQuery.join(parts, ", ", prefix="(", suffix=")")


def _distinct(values: Iterable[Any]) -> list[Any]:
    try:
        return sorted(set(values))
    except TypeError:  # unhashable, or of several types: then in their own order
        found: list[Any] = []
        for value in values:
            if value not in found:
                found.append(value)
        return found


def sqllist(lst: str | Iterable[str]) -> str:
    """Joins names with commas; a string stays as it is."""
    return lst if isinstance(lst, str) else ", ".join(lst)


def sqlors(left: str, lst: Any) -> SQLQuery:
    """Repeats a condition for each value, joined with OR; no values at all are a condition that is never true.

    Args:
        left: the condition up to its value, e.g. `"foo = "`.
        lst: values, or a single one.
    """
    values = list(lst) if isinstance(lst, _LISTS) else [lst]
    if not values:
        return SQLQuery("1=2")
    if len(values) == 1:
        return left + SQLParam(values[0])
    return SQLQuery.join([*(left + SQLParam(value) for value in values), "1=2"], " OR ", prefix="(", suffix=")")


def sqlwhere(data: Mapping[str, Any] | Iterable[tuple[str, Any]], grouping: str = " AND ") -> SQLQuery:
    """Joins `name = value` pairs. The names become SQL as they are: never take them from a user.

    Args:
        data: pairs in the order wanted, or a mapping, which is sorted by name.
        grouping: what stands between two of them.
    """
    pairs: Any = sorted(data.items()) if isinstance(data, Mapping) else data
    return SQLQuery.join([name + " = " + SQLParam(value) for name, value in pairs], grouping)
