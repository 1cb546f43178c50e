"""Where the text of parameters is found in a request, before anything is converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tornado.web import RequestHandler

from torngas.api._parameters import Parameter
from torngas.api._types import item_type, without_none

__all__ = ["SOURCES", "Item", "Source", "field_items", "sources_of"]


Item = tuple[str, str, bool]
"""One value to look for: its name in what is converted, its name in the request, whether it may be repeated."""

Fetch = Callable[[RequestHandler, dict[str, Any], tuple[Item, ...]], None]
Source = tuple[Fetch, str | None, tuple[Item, ...]]
"""How to fetch, into which model (None: the parameters themselves), and what."""


def _query(handler: RequestHandler, into: dict[str, Any], items: tuple[Item, ...]) -> None:
    arguments = handler.request.query_arguments
    for name, key, many in items:
        found = arguments.get(key)
        if found:
            into[name] = [one.decode() for one in found] if many else found[-1].decode()


def _form(handler: RequestHandler, into: dict[str, Any], items: tuple[Item, ...]) -> None:
    arguments = handler.request.body_arguments
    for name, key, many in items:
        found = arguments.get(key)
        if found:
            into[name] = [one.decode() for one in found] if many else found[-1].decode()


def _header(handler: RequestHandler, into: dict[str, Any], items: tuple[Item, ...]) -> None:
    headers = handler.request.headers
    for name, key, many in items:
        if many:
            if found := headers.get_list(key):
                into[name] = found
        elif (value := headers.get(key)) is not None:
            into[name] = value


def _cookie(handler: RequestHandler, into: dict[str, Any], items: tuple[Item, ...]) -> None:
    cookies = handler.cookies
    for name, key, many in items:
        if key in cookies:
            into[name] = [cookies[key].value] if many else cookies[key].value


SOURCES: Mapping[str, Fetch] = {"query": _query, "form": _form, "header": _header, "cookie": _cookie}


def sources_of(parameters: tuple[Parameter, ...]) -> tuple[Source, ...]:
    """What to fetch for these: one source per location, and one per model."""
    made: list[Source] = []
    for location, fetch in SOURCES.items():
        here = [one for one in parameters if one.location == location]
        if single := tuple((one.name, one.key, one.is_many) for one in here if not one.fields):
            made.append((fetch, None, single))
        made += [(fetch, one.name, field_items(one)) for one in here if one.fields]
    return tuple(made)


def field_items(parameter: Parameter) -> tuple[Item, ...]:
    """The fields of a model as arguments of their own."""
    hyphens = parameter.location == "header"
    return tuple(
        (one.name, one.name.replace("_", "-") if hyphens else one.name, item_type(kind) is not None)
        for one, kind in ((one, without_none(one.type)[0]) for one in parameter.fields)
    )
