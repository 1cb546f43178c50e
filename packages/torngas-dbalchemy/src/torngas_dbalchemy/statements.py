"""Does a statement only read? Judged by its structure, in doubt: no.

A read is a SELECT (or a set of them) without row locks, without data-changing CTEs, and without functions that
change something. Text counts as a read if it begins with SELECT, holds one statement and no word that locks or writes.

    is_read(select(User))                    # True
    is_read(select(User).with_for_update())  # False
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import FromClause, Select, Table, TextClause
from sqlalchemy.sql import functions
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ClauseElement, ColumnClause
from sqlalchemy.sql.selectable import CompoundSelect, SelectBase, TableClause

__all__ = ["PRIMARY", "is_read", "tables", "wants_primary"]

PRIMARY = "torngas_primary"
"""Execution option of a statement: True sends it to the primary."""

_LEAVES = (TableClause, BindParameter)
# Classes of leaves, met so far: SQLAlchemy makes annotated ones as it goes, and isinstance() costs on each element.
_HARMLESS: set[type] = set()
# What a plain SELECT may hold. SQLAlchemy's own way to the children costs as much as a third of the query; it is taken
# where a statement has anything else.
_PLAIN_PARTS = frozenset({
    "_raw_columns", "_from_obj", "_where_criteria", "_order_by_clauses", "_limit_clause", "_offset_clause",
    "_fetch_clause", "_fetch_clause_options", "_for_update_arg", "_distinct", "_label_style", "_propagate_attrs",
    "_compile_options", "_execution_options", "_with_options", "dispatch", "dialect_options", "_generate_cache_key",
    "_memoized_keys",
})  # fmt: skip
_AGGREGATES = frozenset({functions.count, functions.max, functions.min, functions.sum})
_READING_TEXT = re.compile(r"\s*\(*\s*(select|values|show|explain\s+select|table)\b", re.IGNORECASE)
_WRITING_WORD = re.compile(
    r"\b(insert|update|delete|merge|replace|into|for\s+(no\s+key\s+)?update|for\s+(key\s+)?share|lock|create|alter|"
    r"drop|truncate|call|nextval|setval|get_lock|release_lock|pg_\w*advisory\w*)\b|;\s*\S",
    re.IGNORECASE,
)
_WRITING_FUNCTIONS = re.compile(
    r"next_?value|nextval|setval|lastval|currval|last_insert_id|get_lock|release_(all_)?locks?|pg_\w*advisory\w*|"
    r"pg_notify|set_config|lo_\w+",
    re.IGNORECASE,
)


def is_read(statement: Any) -> bool:
    """Whether a replica may execute the statement."""
    if isinstance(statement, TextClause):
        return _is_reading_text(statement.text)
    if not isinstance(statement, SelectBase | FromClause):
        return _wraps_read(statement)
    waiting: list[Any] = [statement]
    sources: set[FromClause] = set()
    while waiting:
        part = waiting.pop()
        if type(part) in _HARMLESS:
            continue
        if isinstance(part, ColumnClause):
            if part.is_literal and part.name != "*" and _WRITING_WORD.search(part.name):
                return False
            # A column of a CTE may be all that names it.
            source = part.table
            if source is not None and type(source) not in _HARMLESS and source not in sources:
                sources.add(source)
                waiting.append(source)
        elif isinstance(part, _LEAVES):
            _HARMLESS.add(type(part))
        elif _reads(part):
            waiting.extend(_named(part))
        else:
            return False
    return True


def wants_primary(statement: Any) -> bool:
    """Whether the statement's own execution options send it to the primary."""
    return bool(statement.get_execution_options().get(PRIMARY))


def tables(statement: Any) -> Iterator[Table]:
    """Yields the tables that a statement names."""
    if isinstance(statement, UpdateBase):
        table = getattr(statement, "table", None)
        if isinstance(table, Table):
            yield table
    elif isinstance(statement, ClauseElement):
        yield from (part for part in _parts(statement) if isinstance(part, Table))


def _wraps_read(statement: Any) -> bool:
    wrapped = getattr(statement, "element", None)  # a textual select, or an EXPLAIN around a query
    return isinstance(wrapped, ClauseElement) and is_read(wrapped)


def _parts(statement: ClauseElement) -> Iterator[ClauseElement]:
    """Every element of the statement; columns of tables and parameters have no parts."""
    waiting = [statement]
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, (ColumnClause, *_LEAVES)):
            waiting.extend(_children(part))


def _named(part: Any) -> Iterable[ClauseElement]:
    """The children without the sources of columns, which `is_read` asks the columns for."""
    kind = type(part)
    if kind is BinaryExpression:
        return (part.left, part.right)
    if kind in _AGGREGATES:
        return tuple(part.clauses)
    if kind is Select and vars(part).keys() <= _PLAIN_PARTS and part._fetch_clause is None:
        window = [one for one in (part._limit_clause, part._offset_clause) if one is not None]
        return (*part._raw_columns, *part._from_obj, *part._where_criteria, *part._order_by_clauses, *window)
    return _children(part)


def _children(part: ClauseElement) -> Iterable[ClauseElement]:
    # Common table expressions that are only listed, by add_cte(), are no children.
    listed = getattr(part, "_independent_ctes", ())
    return (*part.get_children(), *listed) if listed else part.get_children()


def _reads(part: ClauseElement) -> bool:
    if type(part) in _AGGREGATES:
        return True
    if isinstance(part, Select | CompoundSelect):
        return part._for_update_arg is None
    if isinstance(part, UpdateBase | functions.next_value):
        return False
    if isinstance(part, functions.FunctionElement):
        return not _WRITING_FUNCTIONS.fullmatch(getattr(part, "name", ""))
    if isinstance(part, TextClause):
        return not _WRITING_WORD.search(part.text)
    return True


def _is_reading_text(text: str) -> bool:
    return bool(_READING_TEXT.match(text)) and not _WRITING_WORD.search(text)
