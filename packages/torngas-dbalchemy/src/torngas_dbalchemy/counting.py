"""How many rows has a query? Counted, or estimated by the server's planner."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.expression import Executable

__all__ = ["Explain", "count_rows", "estimate_rows", "listing_count"]


# A statement, or a query, with no other parts lists one model's rows: a count of them needs its conditions only.
_LISTING_PARTS = frozenset({
    "_raw_columns", "_where_criteria", "_order_by_clauses", "_label_style", "_propagate_attrs", "session", "dispatch",
})  # fmt: skip


def count_rows(place: Any, statement: Select[Any]) -> int:
    """Answers the exact number of rows; ordering and loading options cost nothing.

    Args:
        place: what executes it, a session or a connection.
        statement: whose rows.
    """
    return int(place.scalar(_counting(statement)) or 0)


def _counting(statement: Select[Any]) -> Select[Any]:
    if (listing := listing_count(statement)) is not None:
        return listing
    plain = statement.order_by(None)
    plain._for_update_arg = None  # of a copy; PostgreSQL refuses to lock what it only counts
    if _is_plain(statement):
        # No subquery: what the ORM loads besides the row is not read at all.
        return plain.with_only_columns(func.count(), maintain_column_froms=True)
    return select(func.count()).select_from(plain.subquery())


def listing_count(statement: Any) -> Select[Any] | None:
    """Answers the count that a person would write, where a statement or query lists the rows of one model."""
    if len(statement._raw_columns) != 1 or not vars(statement).keys() <= _LISTING_PARTS:
        return None
    (column,) = statement._raw_columns
    entity = column._annotations.get("parententity")
    if not isinstance(entity, Mapper) or not getattr(column, "is_selectable", False):
        return None
    counting, conditions = _count_of(entity), statement._where_criteria
    return counting.where(*conditions) if conditions else counting


@functools.lru_cache(maxsize=256)
def _count_of(mapper: Mapper[Any]) -> Select[Any]:
    # One statement per model: SQLAlchemy remembers a statement's cache key, so the next count only looks it up.
    return select(func.count()).select_from(mapper)


def _is_plain(statement: Select[Any]) -> bool:
    """Whether each row of the tables is one row of the result."""
    return not (
        statement._distinct
        or statement._distinct_on
        or statement._group_by_clauses
        or statement._having_criteria
        or statement._limit_clause is not None
        or statement._offset_clause is not None
        or statement._fetch_clause is not None
        or any(_aggregates(column) for column in statement._raw_columns)
    )


def _aggregates(column: Any) -> bool:
    return not (getattr(column, "is_selectable", False) or "parententity" in getattr(column, "_annotations", ()))


class Explain(Executable, ClauseElement):
    """EXPLAIN of a query, in the form that `estimate_rows` reads; executes on PostgreSQL and MySQL."""

    inherit_cache = False

    def __init__(self, element: Select[Any]) -> None:
        self.element = element


@compiles(Explain, "postgresql")
def _explain_postgres(element: Explain, compiler: Any, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + str(compiler.process(element.element, **options))


@compiles(Explain, "mysql")
@compiles(Explain, "mariadb")
def _explain_mysql(element: Explain, compiler: Any, **options: Any) -> str:
    return "EXPLAIN " + str(compiler.process(element.element, **options))


def estimate_rows(place: Any, statement: Select[Any]) -> int | None:
    """Answers what the planner expects, without reading rows; None on servers without such a number (SQLite).

    The number is as good as the server's statistics (`ANALYZE`). `place` is as of `count_rows`.
    """
    plain = statement.order_by(None)
    if isinstance(place, Connection):
        reader = _READERS.get(place.dialect.name)
        return None if reader is None else reader(place.execute(Explain(plain)))
    arguments = _bind_arguments(statement)
    reader = _READERS.get(place.get_bind(clause=plain, **arguments).dialect.name)
    return None if reader is None else reader(place.execute(Explain(plain), bind_arguments=arguments))


def _bind_arguments(statement: Select[Any]) -> dict[str, Any]:
    entity = statement.column_descriptions[0].get("entity") if statement.column_descriptions else None
    mapper = getattr(entity, "__mapper__", None)
    return {"mapper": mapper} if mapper is not None else {}


def _read_postgres(result: Any) -> int:
    plan = result.scalar_one()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])


def _read_mysql(result: Any) -> int:
    rows = result.mappings().all()
    return int(math.prod(float(row["rows"] or 0) * float(row.get("filtered") or 100) / 100 for row in rows))


_READERS: dict[str, Callable[[Any], int]] = {
    "postgresql": _read_postgres,
    "mysql": _read_mysql,
    "mariadb": _read_mysql,
}
