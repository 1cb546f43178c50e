"""Where a parameter of a typed method comes from, what it must fulfil, and what is said of it.

    page: Annotated[int, Query(ge=1, description="The first is 1.")] = 1
    version: Annotated[str | None, Header(alias="X-Version")] = None
    filters: Annotated[Filters, Query()]        # each field of the model is one query argument

Without a marker a parameter is taken from the path if the route has a part of its name, a model (also a list, mapping
or union of models) is the JSON body, and all else is a query argument. `msgspec.Meta` works beside a marker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["Body", "Cookie", "Form", "Header", "Marker", "Path", "Query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What all markers can say; use one of its subclasses.

    Args:
        alias: The name that the client sends; None is the parameter's own (of a header with hyphens for underscores).
        title: A short name for the documentation.
        description: A sentence for the documentation.
        examples: Values for the documentation.
        deprecated: Whether clients should stop sending it; it is accepted all the same.
        gt: The value must be greater.
        ge: The value must be greater or equal.
        lt: The value must be less.
        le: The value must be less or equal.
        multiple_of: The value must be a multiple of this.
        pattern: A regular expression that text must contain; anchor it with ^ and $.
        min_length: The least number of characters or items.
        max_length: The greatest number of characters or items.
    """

    location: ClassVar[str] = ""

    alias: str | None = None
    title: str | None = None
    description: str | None = None
    examples: Sequence[Any] = ()
    deprecated: bool = False
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    multiple_of: float | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None

    def constraints(self) -> dict[str, Any]:
        """Those that were given, by name."""
        given = {name: getattr(self, name) for name in _CONSTRAINTS}
        return {name: value for name, value in given.items() if value is not None}


class Path(Marker):
    """A part of the path: a typed part, a named group, or an unnamed group by its place."""

    __slots__ = ()
    location = "path"


class Query(Marker):
    """A query argument; of a repeated one a list gets all values and all else the last one."""

    __slots__ = ()
    location = "query"


class Header(Marker):
    """A header of the request, in any case; a list gets the values of repeated headers."""

    __slots__ = ()
    location = "header"


class Cookie(Marker):
    """A cookie's value as it was sent; a signed one must be read with `get_signed_cookie`."""

    __slots__ = ()
    location = "cookie"


class Form(Marker):
    """A field of an HTML form's body, urlencoded or multipart."""

    __slots__ = ()
    location = "form"


class Body(Marker):
    """The JSON body; needed only for what is no model, such as `Annotated[list[int], Body()]`."""

    __slots__ = ()
    location = "body"


_CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length")
