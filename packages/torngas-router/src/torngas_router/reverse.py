"""Building the URL of a named route from the values of its parts.

reverse(route, converters, args=(), kwargs={"uid": 7})   # '/user/7/'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tornado.routing import PathMatches

from .converters import Converter
from .declaration import Route, TornadoRoute
from .errors import ReverseError

__all__ = ["reverse"]

_OPTIONAL_SLASH = re.compile(r"/\?\$?\Z")


def reverse(route: Route, converters: Mapping[str, Converter], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The quoted path; ReverseError says which value is missing, left over, or does not fit."""
    regex = _reversible(route, converters)
    names = sorted(regex.groupindex, key=lambda name: regex.groupindex[name])
    values = _ordered(route, regex.groups, names, args, kwargs)
    typed = dict(route.path.placeholders())
    texts = [
        _written(route, name, typed[name], converters[typed[name]], value) if name in typed else value
        for name, value in zip(names or [""] * len(values), values, strict=True)
    ]
    try:
        if all(piece.typed for piece in route.path.pieces) and not route.path.compiled:
            return _filled(route, dict(zip(names, texts, strict=True)))
        found = PathMatches(regex).reverse(*texts)
    except ValueError as error:
        raise ReverseError.at(
            route.where,
            got=f"pattern {route.pattern!r}, which is too complicated to be reversed ({error})",
            expected="literal text and groups that are not nested, and no classes or repetitions outside of groups",
            remedy="Write the route with path('/user/<int:uid>/', ...), or format the URL yourself.",
        ) from error
    return str(found)


def _reversible(route: Route, converters: Mapping[str, Converter]) -> re.Pattern[str]:
    """The expression to take apart: an optional slash at the end is left out."""
    if route.path.compiled:
        return route.path.compiled
    source = route.path.source(converters)
    if not isinstance(route, TornadoRoute):
        source = _OPTIONAL_SLASH.sub("$", source)
        source = "/$" if source in ("$", "^$") else source
    return re.compile(source.removesuffix(r"\Z"))


def _ordered(
    route: Route, count: int, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Any]:
    given = {**dict(zip(names, args, strict=False)), **kwargs} if names else {}
    values = [given[name] for name in names if name in given] if names else list(args)
    fits = len(values) == count and len(args) + len(kwargs) == count
    if fits:
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


def _filled(route: Route, texts: Mapping[str, str]) -> str:
    return "".join(piece.filled(texts) for piece in route.path.pieces)
