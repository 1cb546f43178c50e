"""Filters and orders that a list allows, from the query onto a select.

    class Products(FilterMixin, ApiHandler):
        filters = {
            "price": Filter(Product.price, Decimal, "eq", "gte", "lte"),
            "name": Filter(Product.name, str, "eq", "contains"),
            "created": Filter(Product.created, datetime, "gte", "lt"),
        }
        orders = {"created": Product.created, "price": Product.price}
        default_order = "-created"

        def get(self):                                    # ?price__gte=3&name__contains=tea&order=-created,price
            page = self.paginate(session, self.filtered(select(Product)))

What is not declared is refused with 400 and a list of everything that is wrong, so that a misspelt filter never shows
all rows. Values reach the database as parameters only.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from torngas.api._denials import deny
from torngas.exception import ArgumentError

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["Filter", "FilterMixin"]

_LONGEST = 1000  # characters of a value
_MOST_VALUES = 100  # of "in"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column != value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "in": lambda column, value: column.in_(value),
    "contains": lambda column, value: column.contains(value, autoescape=True),
    "icontains": lambda column, value: column.icontains(value, autoescape=True),
    "startswith": lambda column, value: column.startswith(value, autoescape=True),
    "endswith": lambda column, value: column.endswith(value, autoescape=True),
    "isnull": lambda column, value: column.is_(None) if value else column.is_not(None),
}
_TEXT_OPERATORS = {"contains", "icontains", "startswith", "endswith"}


class Filter:
    """A column that may be asked for.

    Args:
        column: A mapped attribute or a column.
        kind: What values are: str, int, float, bool, Decimal, datetime, date, time, UUID, an Enum (by its values), or a
            function from text that raises ValueError.
        *operators: Of eq, ne, lt, lte, gt, gte, in (values between commas, at most 100), contains, icontains,
            startswith, endswith, isnull (true or false). None given: eq alone.

    Raises:
        ArgumentError: an operator is unknown, or does not fit the kind.
    """

    def __init__(self, column: Any, kind: Callable[[str], Any] = str, *operators: str) -> None:
        self.column = column
        self.operators = operators or ("eq",)
        unknown = [one for one in self.operators if one not in _OPERATORS]
        if unknown or (kind is not str and _TEXT_OPERATORS.intersection(self.operators)):
            raise ArgumentError(
                f"Filter: got the operators {list(self.operators)} for {getattr(kind, '__name__', kind)}; expected "
                f"some of {list(_OPERATORS)}, and {sorted(_TEXT_OPERATORS)} for str only"
            )
        self._convert = _converter(kind)
        self._zoned = getattr(getattr(column, "type", None), "timezone", False)

    def condition(self, operator: str, text: str) -> Any:
        """The SQL expression; the value in it is a parameter.

        Raises:
            ValueError: the text is no value of this kind.
        """
        return _OPERATORS[operator](self.column, self._value(operator, text))

    def _value(self, operator: str, text: str) -> Any:
        if operator == "isnull":
            return _boolean(text)
        if operator != "in":
            return self._single(text)
        parts = text.split(",")
        if len(parts) > _MOST_VALUES:
            raise ValueError(f"expected at most {_MOST_VALUES} values")
        return [self._single(part) for part in parts]

    def _single(self, text: str) -> Any:
        if len(text) > _LONGEST or "\x00" in text:  # PostgreSQL's text cannot hold a NUL
            raise ValueError(f"expected at most {_LONGEST} characters, and no NUL")
        value = self._convert(text)
        return _in_zone(value, self._zoned) if isinstance(value, datetime) else value


class FilterMixin(_Base):
    """Stands before the handler class in the bases.

    Attributes:
        filters: From a name in the query to what it asks; `name__operator=value`, and `name=value` for eq.
        orders: From a name to a column; `order=-created,name`, with a minus for descending.
        default_order: The order where the query says none, written the same way; empty for none.
        other_arguments: Arguments of the query that others read; every other one is refused.
    """

    filters: ClassVar[Mapping[str, Filter]] = {}
    orders: ClassVar[Mapping[str, Any]] = {}
    default_order: ClassVar[str] = ""
    other_arguments: ClassVar[frozenset[str]] = frozenset({"page", "per_page", "cursor", "format", "callback"})

    def filtered(self, statement: Any) -> Any:
        """The select with the conditions and the order that the query asks for.

        Raises:
            Finish: something of the query is not declared, or is no value of its kind; that is answered.
        """
        wrong: list[dict[str, str]] = []
        for name in self.request.query_arguments:
            if name != "order" and name not in self.other_arguments:
                statement = self._condition(statement, name, wrong)
        statement = self._ordered(statement, wrong)
        if wrong:
            deny(self, 400, "the query asks for what this list does not offer", errors=wrong)
        return statement

    def _condition(self, statement: Any, name: str, wrong: list[dict[str, str]]) -> Any:
        field, mark, operator = name.partition("__")
        operator = operator if mark else "eq"
        found = self.filters.get(field)
        if found is None or operator not in found.operators or (mark and operator == "eq"):
            known = [one for known, each in self.filters.items() for one in _spelt(known, each)]
            wrong.append(_problem(name, f"expected one of {', '.join(sorted(known)) or 'no filter at all'}"))
            return statement
        values = self.get_query_arguments(name, strip=False)
        try:
            if len(values) > 1:
                raise ValueError("expected one value, got several")
            return statement.where(found.condition(operator, values[0]))
        except ValueError as error:
            wrong.append(_problem(name, str(error)))
            return statement

    def _ordered(self, statement: Any, wrong: list[dict[str, str]]) -> Any:
        asked = self.get_query_argument("order", self.default_order)
        names = [name for name in asked.split(",") if name]
        fields = [name.removeprefix("-") for name in names]
        if set(fields) - self.orders.keys() or len(set(fields)) < len(fields):
            allowed = ", ".join(sorted(self.orders)) or "none"
            wrong.append(_problem("order", f"expected some of {allowed}, each once, with a minus for descending"))
            return statement
        columns = [(self.orders[field], name.startswith("-")) for field, name in zip(fields, names, strict=True)]
        return statement.order_by(*(column.desc() if down else column.asc() for column, down in columns))


def _spelt(name: str, declared: Filter) -> list[str]:
    return [name if operator == "eq" else f"{name}__{operator}" for operator in declared.operators]


def _problem(name: str, detail: str) -> dict[str, str]:
    return {"in": "query", "name": name[:100], "detail": detail}


def _converter(kind: Any) -> Callable[[str], Any]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member_of(kind)
    return _CONVERTERS.get(kind, kind)


def _member_of(kind: type[Enum]) -> Callable[[str], Any]:
    members = {str(member.value): member for member in kind}

    def convert(text: str) -> Enum:
        if text not in members:
            raise ValueError(f"expected one of {', '.join(members)}")
        return members[text]

    return convert


def _in_zone(moment: datetime, zoned: bool) -> datetime:
    """As the column has it: with a zone or in UTC without one; drivers refuse to compare the two kinds."""
    if zoned:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _integer(text: str) -> int:
    digits = text.removeprefix("-")
    number = int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else 2**63
    if not -(2**63) <= number < 2**63:  # what a database's largest integer holds
        raise ValueError("expected a whole number")
    return number


def _float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("expected a number")
    return number


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    # Exponents beyond this are no amount of anything, and a few bytes of them become megabytes of digits.
    if not number.is_finite() or abs(number.adjusted()) > 100:
        raise ValueError("expected a number")
    return number


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError("expected true or false")
    return _BOOLEANS[text]


def _iso(read: Callable[[str], Any], example: str) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return read(text.replace(" ", "+") if "T" in text else text)  # "+" of an offset reads as a space in a query
        except ValueError as error:
            raise ValueError(f"expected ISO 8601, e.g. {example}") from error

    return convert


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ValueError("expected a UUID") from error


_CONVERTERS: Mapping[Any, Callable[[str], Any]] = {
    int: _integer,
    float: _float,
    bool: _boolean,
    Decimal: _decimal,
    datetime: _iso(datetime.fromisoformat, "2026-01-31T12:00:00Z"),
    date: _iso(date.fromisoformat, "2026-01-31"),
    time: _iso(time.fromisoformat, "12:00:00"),
    uuid.UUID: _uuid,
}
