"""Building the URL of a named route from the values of its parts.

reverse(route, converters, args=(), kwargs={"uid": 7})   # '/user/7/'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tornado.escape import url_escape, utf8
from tornado.routing import PathMatches

from .converters import Converter
from .declaration import Route, TornadoRoute
from .errors import ReverseError
from .literal import closing, literals

__all__ = ["reverse"]

_OPTIONAL_SLASH = re.compile(r"/\?(\$?|\\Z)\Z")
_CAPTURES = re.compile(r"\((?!\?)|\(\?P<")
_QUANTIFIERS = frozenset("*+?{")


def reverse(route: Route, converters: Mapping[str, Converter], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The quoted path; ReverseError says which value is missing, left over, or does not fit.

    An optional slash at the end is left out. A route in Tornado's form gives what Tornado gives.
    """
    regex = route.path.compile(route.where, converters)
    names = sorted(regex.groupindex, key=lambda name: regex.groupindex[name])
    values = _ordered(route, regex.groups, names, args, kwargs)
    typed = dict(route.path.placeholders())
    texts = [
        _written(route, name, typed[name], converters[typed[name]], value) if name in typed else _quoted(value)
        for name, value in zip(names or [""] * len(values), values, strict=True)
    ]
    try:
        if isinstance(route, TornadoRoute):
            return str(PathMatches(regex).reverse(*values))
        rest = iter(texts)
        return "".join(next(rest) if part is None else part for part in _parts(regex.pattern)) or "/"
    except (ValueError, TypeError, re.error) as error:
        raise ReverseError.at(
            route.where,
            got=f"a pattern that is too complicated to be reversed ({error})",
            expected="literal text and plain groups, none of it nested, repeated or optional",
            remedy="Write the route with path('/user/<int:uid>/', ...), or format the URL yourself.",
        ) from error


def _ordered(
    route: Route, count: int, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Any]:
    """The values in the order of the groups, each exactly once."""
    given = {**dict(zip(names, args, strict=False)), **kwargs} if names else {}
    values = [given[name] for name in names if name in given] if names else list(args)
    if len(values) == count and len(args) + len(kwargs) == count:
        return values
    missing: list[str] | int = [name for name in names if name not in given] if names else max(0, count - len(args))
    surplus = sorted(kwargs.keys() - set(names)) + list(args[count:])
    raise ReverseError.at(
        route.where,
        got=f"{list(args)} and {dict(kwargs)}: missing {missing}, left over {surplus}",
        expected=f"values for {list(names)}" if names else f"{count} positional values",
        remedy="Give each part of the path exactly once, in order or by name.",
    )


def _written(route: Route, name: str, key: str, converter: Converter, value: Any) -> str:
    """The quoted text of a typed part, which its own route will accept again."""
    try:
        text = converter.to_url(value)
        quoted = quote(text, safe="/" if "/" in text and re.fullmatch(converter.regex, text) else "")
        if re.fullmatch(converter.regex, quoted):
            return quoted
        problem = f"{quoted!r} does not match {converter.regex!r}"
    except (ValueError, TypeError) as error:
        problem = str(error)
    raise ReverseError.at(
        route.where,
        got=f"{name}={value!r} ({problem})",
        expected=f"what the converter {key!r} accepts",
        remedy="Give another value, or another converter in the path.",
    )


def _quoted(value: Any) -> str:
    return url_escape(utf8(value if isinstance(value, str | bytes) else str(value)), plus=False)


def _parts(source: str) -> Iterator[str | None]:
    """The literal texts of an expression, and None for each group; ValueError for anything else."""
    source = _OPTIONAL_SLASH.sub("", source).removesuffix("$").removesuffix(r"\Z").lstrip("^")
    at = 0
    while at < len(source):
        if source[at] == "(":
            end = closing(source, at)
            if len(_CAPTURES.findall(source, at, end)) != 1 or not _CAPTURES.match(source, at):
                raise ValueError(f"{source[at:end]!r} is not one plain group")
            part = None
        else:
            found = next(literals(source, at), None)
            if found is None:
                raise ValueError(f"{source[at:]!r} is no literal text")
            part, _, end = found
        if source[end : end + 1] in _QUANTIFIERS:
            raise ValueError(f"{source[at : end + 1]!r} is repeated or optional")
        yield part
        at = end
