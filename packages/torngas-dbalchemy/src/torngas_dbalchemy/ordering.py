"""The order of a query, taken apart: what comes after a given row?

Directions may be mixed, columns may hold NULL, wherever the server or the query puts it. Where the order leaves
rows equal, the primary key decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Enum, Select, Table, and_, case, false, inspect, or_
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import Label, UnaryExpression
from sqlalchemy.sql.selectable import Join

__all__ = ["Order", "Term", "order_of"]

_NULLS_LARGEST = ("postgresql", "oracle", "cockroachdb")
_NO_NULLS_CLAUSE = ("mysql", "mariadb", "mssql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One expression of an ORDER BY; `nulls_first` is None where the expression cannot be NULL."""

    expression: ColumnElement[Any]
    descending: bool = False
    nulls_first: bool | None = None

    def reversed(self) -> Term:
        """The same term from the other end."""
        nulls = None if self.nulls_first is None else not self.nulls_first
        return replace(self, descending=not self.descending, nulls_first=nulls)

    def clauses(self, dialect: Dialect) -> Iterator[ColumnElement[Any]]:
        """Yields what stands in the ORDER BY for this term on this server."""
        plain = self.expression.desc() if self.descending else self.expression.asc()
        if self.nulls_first is None or self.nulls_first == _default_nulls_first(self.descending, dialect):
            yield plain
        elif dialect.name in _NO_NULLS_CLAUSE:
            yield case((self.expression.is_(None), 0), else_=1) * (1 if self.nulls_first else -1)
            yield plain
        else:
            yield plain.nulls_first() if self.nulls_first else plain.nulls_last()

    def equals(self, value: Any) -> ColumnElement[bool]:
        """The rows that have this value here."""
        return self.expression.is_(None) if value is None else self.expression == value

    def follows(self, value: Any) -> ColumnElement[bool]:
        """The rows that come after this value."""
        if value is None:
            return self.expression.is_not(None) if self.nulls_first else false()
        beyond = self.expression < value if self.descending else self.expression > value
        return or_(beyond, self.expression.is_(None)) if self.nulls_first is False else beyond

    def value(self, raw: Any) -> Any:
        """The Python value of what a cursor holds: an enumeration's member by its name."""
        kind = self.expression.type
        if isinstance(kind, Enum) and kind.enum_class is not None and isinstance(raw, str):
            return kind.enum_class[raw]
        return raw


@dataclass(frozen=True, slots=True)
class Order:
    """All terms; together they tell every two rows apart."""

    terms: tuple[Term, ...]

    def reversed(self) -> Order:
        """The same order from the other end."""
        return Order(tuple(term.reversed() for term in self.terms))

    def clauses(self, dialect: Dialect) -> list[ColumnElement[Any]]:
        """The whole ORDER BY for this server."""
        return [clause for term in self.terms for clause in term.clauses(dialect)]

    def after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """The rows behind the one with these values: the first term decides, the next where it is equal."""
        condition: ColumnElement[bool] = false()
        for term, raw in reversed(list(zip(self.terms, values, strict=True))):
            value = term.value(raw)
            condition = or_(term.follows(value), and_(term.equals(value), condition))
        return condition

    def fingerprint(self, dialect: Dialect) -> str:
        """Short text that differs between orders."""
        spec = [(str(t.expression.compile(dialect=dialect)), t.descending, t.nulls_first) for t in self.terms]
        return hashlib.sha256(repr(spec).encode()).hexdigest()[:12]


def order_of(statement: Select[Any], dialect: Dialect) -> Order:
    """Reads the ORDER BY of a statement and adds the primary key where it is missing.

    Raises:
        ValueError: the query is grouped, ordered by text, or has no primary key.
    """
    if statement._group_by_clauses:
        raise ValueError(
            "paginate_keyset: got a grouped query; expected one without GROUP BY; select from its subquery."
        )
    outer = _has_outer_join(statement)
    given = [_term(clause, outer, dialect) for clause in statement._order_by_clauses]
    known = {_identity(term.expression) for term in given}
    keys = [key for key in _primary_key(statement) if _identity(key) not in known]
    if not given and not keys:
        raise ValueError("paginate_keyset: got no ORDER BY and no primary key; expected an order that is unique.")
    down = given[-1].descending if given else False
    return Order((*given, *(Term(expression=key, descending=down) for key in keys)))


def _term(clause: Any, outer: bool, dialect: Dialect) -> Term:
    descending, nulls_first, expression = False, None, clause
    while True:
        if type(expression).__name__ == "_label_reference":  # SQLAlchemy's wrapper round what order_by was given
            expression = expression.element
            continue
        modifier = getattr(expression, "modifier", None) if isinstance(expression, UnaryExpression) else None
        if modifier in (operators.nulls_first_op, operators.nulls_last_op):
            nulls_first = modifier is operators.nulls_first_op
        elif modifier in (operators.asc_op, operators.desc_op):
            descending = modifier is operators.desc_op
        else:
            break
        expression = expression.element
    if type(expression).__name__ == "_textual_label_reference" or not hasattr(expression, "is_"):
        raise ValueError("paginate_keyset: got an ORDER BY of text; expected columns, such as User.name.desc().")
    if isinstance(expression, Label):
        expression = expression.element
    if not _nullable(expression, outer):
        nulls_first = None
    elif nulls_first is None:
        nulls_first = _default_nulls_first(descending, dialect)
    return Term(expression=expression, descending=descending, nulls_first=nulls_first)


def _nullable(expression: Any, outer: bool) -> bool:
    return outer or getattr(expression, "nullable", True) is not False


def _default_nulls_first(descending: bool, dialect: Dialect) -> bool:
    return descending if dialect.name in _NULLS_LARGEST else not descending


def _has_outer_join(statement: Select[Any]) -> bool:
    flags = [join[3] for join in statement._setup_joins]
    joins = [part for part in statement.get_final_froms() if isinstance(part, Join)]
    return any(flag.get("isouter") or flag.get("full") for flag in flags) or any(map(_is_outer, joins))


def _is_outer(join: Join) -> bool:
    sides = (join.left, join.right)
    return join.isouter or join.full or any(_is_outer(side) for side in sides if isinstance(side, Join))


def _primary_key(statement: Select[Any]) -> Iterator[Any]:
    entities = {id(d["entity"]): d["entity"] for d in statement.column_descriptions if d.get("entity") is not None}
    for entity in entities.values():
        mapper = inspect(entity).mapper
        yield from (getattr(entity, mapper.get_property_by_column(column).key) for column in mapper.primary_key)
    if not entities:
        tables = [part for part in statement.get_final_froms() if isinstance(part, Table)]
        yield from (column for table in tables for column in table.primary_key)


def _identity(expression: Any) -> Any:
    expression = getattr(expression, "__clause_element__", lambda: expression)()
    return (id(getattr(expression, "table", None)), getattr(expression, "key", id(expression)))
