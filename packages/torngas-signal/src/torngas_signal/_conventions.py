"""How a receiver wants to be called, read from its signature once, when it is connected.

Two habits meet here. Django's receivers take keywords: `f(**kwargs)`, `f(sender, **kwargs)`. blinker's take the
sender first, whatever they call it: `f(anything)`, `f(anything, x=1)`. The answer to "what does this receiver
get?" is a `Shape`; it depends on nothing but the signature and the names in the payload.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from inspect import Parameter
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from torngas_signal.exceptions import PayloadError

__all__ = ["Convention", "SenderAs", "Shape", "convention_of"]

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class SenderAs(Enum):
    """The ways in which a receiver can be told the sender."""

    KEYWORD = "keyword"
    POSITION = "position"
    OMITTED = "omitted"


class Shape(NamedTuple):
    """One way to call: whether `signal=` is passed, how the sender is, and which names of the payload."""

    signal: bool
    sender: SenderAs
    names: tuple[str, ...]


class Convention(NamedTuple):
    """What a signature says.

    `required` is its first positional parameter without a default and `first` its first positional one at all;
    `keywords` are the parameters that can be given by name; `extra` tells of `**kwargs`, `many` of `*args`.
    """

    required: str | None
    first: str | None
    keywords: frozenset[str]
    extra: bool
    many: bool

    def shape(self, names: tuple[str, ...]) -> Shape:
        """Answers how to call such a receiver with a payload of these names.

        Raises:
            PayloadError: The payload has a `signal` or a `sender`, and the receiver takes the real one by this name.
        """
        by_keyword = self._takes_keywords(names)
        self._refuse_hidden(names, {"signal", "sender"} if by_keyword else {"sender"} & {self.first})
        if by_keyword:
            # Position is the same to a first parameter called `sender`, and quicker to pass.
            return Shape(True, SenderAs.POSITION if self.first == "sender" else SenderAs.KEYWORD, names)
        sender = self._sender(names)
        taken = self.first if sender is SenderAs.POSITION else None
        wanted = self.keywords - {taken}
        passed = names if self.extra else tuple(name for name in names if name in wanted)
        return Shape("signal" in wanted and "signal" not in names, sender, passed)

    def _refuse_hidden(self, names: tuple[str, ...], own: set[str]) -> None:
        for name in own.intersection(names):
            raise PayloadError(
                f"send: got a payload named {name!r}, the name by which a receiver gets the {name} itself; "
                "expected any other name; rename it."
            )

    def _takes_keywords(self, names: tuple[str, ...]) -> bool:
        """Django's habit: everything by keyword, as soon as nothing else could be meant."""
        if not self.extra or self.many:
            return False
        by_name = self.required is None or self.required in ("sender", "signal") or self.required in names
        return by_name and (self.required is None or self.required in self.keywords)

    def _sender(self, names: tuple[str, ...]) -> SenderAs:
        if "sender" in self.keywords and "sender" not in names:
            return SenderAs.KEYWORD
        if self.first is None:
            return SenderAs.POSITION if self.many else SenderAs.OMITTED
        if self.first in self.keywords and (self.first == "signal" or self.first in names):
            return SenderAs.OMITTED
        return SenderAs.POSITION


_UNKNOWN = Convention(required=None, first=None, keywords=frozenset(), extra=True, many=True)


def convention_of(receiver: Callable[..., Any]) -> Convention:
    """Reads the convention of a callable; one that hides its signature gets the sender and the whole payload."""
    bound = isinstance(receiver, MethodType)
    function = receiver.__func__ if isinstance(receiver, MethodType) else receiver
    if isinstance(function, FunctionType) and not function.__dict__:
        return _of_code(function, skip=int(bound))
    try:
        return _read(_own_signature(receiver))
    except (TypeError, ValueError):
        return _UNKNOWN


def _of_code(function: FunctionType, skip: int) -> Convention:
    """What `_read` finds, a hundred times faster, for a function that nobody has wrapped or labelled."""
    code = function.__code__
    count, names = code.co_argcount, code.co_varnames
    first = names[skip] if count > skip else None
    return Convention(
        required=first if count - len(function.__defaults__ or ()) > skip else None,
        first=first,
        keywords=frozenset(names[max(code.co_posonlyargcount, skip) : count + code.co_kwonlyargcount]),
        extra=bool(code.co_flags & inspect.CO_VARKEYWORDS),
        many=bool(code.co_flags & inspect.CO_VARARGS),
    )


def _own_signature(receiver: Callable[..., Any]) -> inspect.Signature:
    """The signature that a call meets: a wrapper's own, unless it passes everything on to what it wraps."""
    signature = inspect.signature(receiver, follow_wrapped=False)
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    if kinds == {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD} and hasattr(receiver, "__wrapped__"):
        return inspect.signature(receiver)
    return signature


def _read(signature: inspect.Signature) -> Convention:
    parameters = signature.parameters.values()
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    required = [parameter.name for parameter in positional if parameter.default is Parameter.empty]
    return Convention(
        required=required[0] if required else None,
        first=positional[0].name if positional else None,
        keywords=frozenset(parameter.name for parameter in parameters if parameter.kind in _BY_KEYWORD),
        extra=any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters),
        many=any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters),
    )
