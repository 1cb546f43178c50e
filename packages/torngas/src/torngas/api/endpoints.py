"""Typed methods: arguments read and checked by their annotations, results written by theirs.

    class Notes(ApiHandler):
        @endpoint(tags=["notes"])
        async def get(self, note_id: int, full: bool = False) -> Note: ...

        @endpoint(status=201, forbid_unknown=True)
        async def post(self, body: NewNote) -> Note: ...

The annotations are read once, when the class is made. Methods without the decorator are as they were.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from tornado.web import RequestHandler

from torngas.api._needs import check_msgspec
from torngas.api.problem import answer_problems
from torngas.exception import ArgumentError

if TYPE_CHECKING:
    from torngas.api._answers import Writer
    from torngas.api._parameters import Parameter, Signature
    from torngas.api._reading import Reader

__all__ = ["Declaration", "Endpoint", "endpoint"]

H = TypeVar("H", bound=RequestHandler)
P = ParamSpec("P")


class _Typed(Protocol):
    """What `endpoint(...)` answers: the decorator."""

    @overload
    def __call__(
        self, method: Callable[Concatenate[H, P], Awaitable[Any]], /
    ) -> Callable[Concatenate[H, P], Awaitable[None]]: ...
    @overload
    def __call__(self, method: Callable[Concatenate[H, P], Any], /) -> Callable[Concatenate[H, P], None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a typed method says of itself; the arguments of `endpoint`."""

    tags: tuple[str, ...] = ()
    summary: str | None = None
    description: str | None = None
    operation_id: str | None = None
    status: int | None = None
    responses: Mapping[int, Any] = field(default_factory=dict)
    forbid_unknown: bool = False
    deprecated: bool = False
    hidden: bool = False


class Endpoint:
    """A typed method, compiled: `method.__endpoint__`.

    Attributes:
        declaration: What the decorator was given.
        method: The function that was decorated.
    """

    def __init__(self, method: Callable[..., Any], declaration: Declaration) -> None:
        self.method = method
        self.declaration = declaration
        self._signature: Signature | None = None
        self._readers: dict[tuple[Any, ...], Reader] = {}
        self._writer: Writer | None = None

    def compile(self, namespace: Mapping[str, Any]) -> None:
        """Reads the annotations now, unless they name what is defined later; then at the first use.

        Raises:
            ArgumentError: a parameter cannot be filled from a request.
        """
        from torngas.api._answers import Writer
        from torngas.api._reading import Reader

        try:
            signature = self._read(namespace)
            self._writer = Writer(signature)
            self._readers[0,] = Reader(signature, (), 0, self.declaration.forbid_unknown)
        except NameError:
            return

    @property
    def signature(self) -> Signature:
        """The parameters and the result; ArgumentError where an annotation names what does not exist."""
        try:
            return self._signature or self._read({})
        except NameError as error:
            raise ArgumentError(
                f"{self.method.__module__}.{self.method.__qualname__}: got an annotation with an unknown name ({error})"
                "; expected names of the module, or of the functions round the class"
            ) from error

    def parameters(self, names: tuple[str, ...], unnamed: int = 0) -> tuple[Parameter, ...]:
        """The parameters as a route with these parts fills them."""
        return self._reader(names, unnamed).parameters

    def arguments(self, handler: RequestHandler, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the method, from the request.

        Raises:
            Problem: something is missing, malformed or invalid.
        """
        reader = self._readers.get((len(args), *kwargs))
        if reader is None:
            reader = self._reader(tuple(kwargs), len(args))
        status = self.declaration.status
        if status is not None:
            handler.set_status(status)
        return reader.arguments(handler, args, kwargs)

    def write(self, handler: RequestHandler, result: Any) -> None:
        """Writes what the method returned."""
        if self._writer is None:
            from torngas.api._answers import Writer

            self._writer = Writer(self.signature)
        self._writer.write(handler, result)

    def _reader(self, names: tuple[str, ...], unnamed: int) -> Reader:
        found = self._readers.get((unnamed, *names))
        if found is None:
            from torngas.api._reading import Reader

            found = Reader(self.signature, names, unnamed, self.declaration.forbid_unknown)
            self._readers[(unnamed, *names)] = found
        return found

    def _read(self, namespace: Mapping[str, Any]) -> Signature:
        from torngas.api._parameters import read_signature

        self._signature = read_signature(self.method, namespace)
        return self._signature


def endpoint(
    *,
    tags: Sequence[str] = (),
    summary: str | None = None,
    description: str | None = None,
    operation_id: str | None = None,
    status: int | None = None,
    responses: Mapping[int, Any] | None = None,
    forbid_unknown: bool = False,
    deprecated: bool = False,
    hidden: bool = False,
) -> _Typed:
    """Makes a method of a handler typed.

    Args:
        tags: Groups of the documentation that it belongs to.
        summary: A few words for the documentation; None is the docstring's first line.
        description: More words, in Markdown; None is the rest of the docstring.
        operation_id: The operation's name for generated clients; None is made of method and handler.
        status: The status of a successful answer; None is 200, or 204 for a method that is declared to return None.
            `self.set_status` in the method wins.
        responses: What else it answers, by status: a text (problem details with this description), a type (JSON of
            it), or None (no content).
        forbid_unknown: Whether query arguments and fields of the body that it does not have are refused.
        deprecated: Whether the documentation advises against it.
        hidden: Whether the documentation leaves it out.

    Raises:
        ArgumentError: an annotation cannot be used.
        ConfigError: msgspec is not installed.
    """
    declaration = Declaration(
        tags=(tags,) if isinstance(tags, str) else tuple(tags),
        summary=summary,
        description=description,
        operation_id=operation_id,
        status=status,
        responses=dict(responses or {}),
        forbid_unknown=forbid_unknown,
        deprecated=deprecated,
        hidden=hidden,
    )

    def decorate(method: Callable[..., Any]) -> Any:
        check_msgspec("torngas.api.endpoint")
        from torngas.api._parameters import namespace_of

        made = Endpoint(method, declaration)
        made.compile(namespace_of(1))
        call = _async_call(made) if inspect.iscoroutinefunction(method) else _call(made)
        call.__endpoint__ = made  # type: ignore[attr-defined]  # the agreed place
        return call

    return decorate


def _async_call(made: Endpoint) -> Callable[..., Any]:
    method = made.method

    @wraps(method)
    async def call(self: RequestHandler, *args: Any, **kwargs: Any) -> None:
        try:
            made.write(self, await method(self, **made.arguments(self, args, kwargs)))
        except BaseException:
            answer_problems(self)
            raise

    return call


def _call(made: Endpoint) -> Callable[..., Any]:
    """Of a plain method; what it returns may be awaitable all the same, as with `async_execute`."""
    method = made.method

    @wraps(method)
    def call(self: RequestHandler, *args: Any, **kwargs: Any) -> Awaitable[None] | None:
        try:
            result = method(self, **made.arguments(self, args, kwargs))
            if inspect.isawaitable(result):
                return _awaited(made, self, result)
            made.write(self, result)
        except BaseException:
            answer_problems(self)
            raise
        return None

    return call


async def _awaited(made: Endpoint, handler: RequestHandler, result: Awaitable[Any]) -> None:
    try:
        made.write(handler, await result)
    except BaseException:
        answer_problems(handler)
        raise
