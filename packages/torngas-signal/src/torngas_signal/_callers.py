"""The innermost loop, written to measure: functions made from the names in a payload.

`receiver(sender, **payload)` builds a dictionary for every call, which costs more than the call. With the names
known, `receiver(sender, user=v0)` builds none. Names reach the source only as literals or, when they are ASCII
identifiers, as keywords; nothing else of the user's does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from keyword import iskeyword
from typing import Any

from torngas_signal._conventions import SenderAs, Shape

__all__ = ["Call", "Run", "call_of", "run_maker"]

Call = Callable[[Callable[..., Any], Any, object, dict[str, Any]], Any]
"""`call(receiver, signal, sender, payload)`."""

Run = Callable[[Any, Any, dict[str, Any]], list[tuple[Any, Any]]]
"""`run(signal, sender, payload)`, a whole send."""

_KNOWN_SHAPES = 1024  # payloads with made-up names must not fill the memory


_RUN = """
def make({free}, other, careful, failed):
    def run(signal, sender, payload):
        if len(payload) != {count}:
            return other(signal, sender, payload)
        try:
            {values}
        except KeyError:
            return other(signal, sender, payload)
        {sender}
        {find}
        {head}
        receiver = target()
        if receiver is None:
            responses = []
        else:
            {respond}
            responses = [(receiver, {response})]
        if rest:
            for {head_names} in rest:
                receiver = target()
                if receiver is not None:
                    {respond_again}
                    responses.append((receiver, {response}))
        return responses
    return run
"""

_TAKE_SENDER = """
        if sender is not None:
            return careful(signal, sender, payload)
        sender = {value}
"""

_FIND = """
        targets = get(id(sender))
        if targets is None:
            targets = find(signal, sender)
            if targets is None:
                {forget}return careful(signal, sender, payload)
        first, rest = targets
"""

_GUARD = """
{indent}try:
{indent}    response = {call}
{indent}except Exception as error:
{indent}    response = failed(signal, receiver, error)
"""


@lru_cache(maxsize=_KNOWN_SHAPES)
def call_of(shape: Shape) -> Call:
    """Makes the call for one shape, whatever else the payload holds."""
    values = {name: f"payload[{name!r}]" for name in shape.names}
    made: Call = _execute(f"def make(receiver, signal, sender, payload): return {_call(shape, values)}")
    return made


@lru_cache(maxsize=_KNOWN_SHAPES)
def run_maker(names: tuple[str, ...], shape: Shape | None, by_sender: bool, robust: bool) -> Callable[..., Run]:
    """Makes the maker of a send for payloads of exactly these names.

    The targets, a first one and the rest (there is mostly one), are given once and for all, or `by_sender` looked
    up for every send. `shape` is None where receivers differ; each target then comes with its call.
    """
    values = {name: f"v{index}" for index, name in enumerate(names)}
    call = "call(receiver, signal, sender, payload)" if shape is None else _call(shape, values)
    find = _FIND.format(forget="del payload['sender']; " if "sender" in values else "")
    made: Callable[..., Run] = _execute(
        _RUN.format(
            free="get, find" if by_sender else "first, rest",
            count=len(names),
            values="; ".join(f"{local} = payload[{name!r}]" for name, local in values.items()) or "pass",
            sender=_TAKE_SENDER.format(value=values["sender"]) if "sender" in values else "",
            find=find if by_sender else "",
            head="target = first" if shape is not None else "target, call = first",
            head_names="target" if shape is not None else "target, call",
            respond=_GUARD.format(indent=" " * 12, call=call) if robust else "",
            respond_again=_GUARD.format(indent=" " * 20, call=call) if robust else "",
            response="response" if robust else call,
        )
    )
    return made


def _call(shape: Shape, values: dict[str, str]) -> str:
    """The source of one call."""
    arguments = ["sender"] if shape.sender is SenderAs.POSITION else []
    arguments += ["signal=signal"] if shape.signal else []
    arguments += ["sender=sender"] if shape.sender is SenderAs.KEYWORD else []
    arguments += [f"{name}={values[name]}" for name in shape.names if _is_keyword_argument(name)]
    if others := [f"{name!r}: {values[name]}" for name in shape.names if not _is_keyword_argument(name)]:
        arguments.append("**{" + ", ".join(others) + "}")
    return f"receiver({', '.join(arguments)})"


def _is_keyword_argument(name: str) -> bool:
    """Whether the name can stand before a `=`: Python would fold other alphabets, and reserves `__debug__`."""
    return name.isascii() and name.isidentifier() and not iskeyword(name) and not name.startswith("__")


def _execute(source: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(source, "<torngas_signal>", "exec"), names)  # noqa: S102 - see the module's first lines
    return names["make"]
