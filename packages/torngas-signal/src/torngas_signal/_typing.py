"""`Signal`, as type checkers see it: generic in its payload.

`Signal[P]` is a signal whose sends take the parameters `P`. A receiver of it takes `P` too, or the signal before
`P`, or any keywords. Without a declared payload `P` is `...`, and everything is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Protocol, TypedDict, TypeVar, Unpack, overload

from torngas_signal._senders import ANY
from torngas_signal._signal import Dispatcher, Responses

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    P = ParamSpec("P", default=...)
else:
    from typing import ParamSpec

    P = ParamSpec("P")

__all__ = ["ConnectOptions", "Signal"]

R = TypeVar("R")


class TakesKeywords(Protocol):
    """`def receiver(**kwargs)`: it gets `signal`, `sender` and the payload by name."""

    def __call__(self, **kwargs: Any) -> Any: ...


K = TypeVar("K", bound=TakesKeywords)


class ConnectOptions(TypedDict, total=False):
    """The keyword arguments of `Signal.connect`."""

    weak: bool
    dispatch_uid: Hashable
    priority: int
    once: bool


class Connector(Protocol[P]):
    """What `connect` answers without a receiver: a decorator."""

    @overload
    def __call__(self, receiver: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def __call__(self, receiver: Callable[Concatenate[Any, P], R], /) -> Callable[Concatenate[Any, P], R]: ...
    @overload
    def __call__(self, receiver: K, /) -> K: ...


class Signal(Dispatcher, Generic[P]):
    __doc__ = Dispatcher.__doc__

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: Signal[...],
            name: str | None = None,
            *,
            doc: str | None = None,
            providing_args: Iterable[str] | None = None,
            use_caching: bool = True,
        ) -> None: ...
        @overload
        def __init__(
            self,
            name: str | None = None,
            *,
            doc: str | None = None,
            providing_args: Callable[P, Any],
            use_caching: bool = True,
        ) -> None: ...
        def __init__(self, name: str | None = None, **options: Any) -> None: ...

        @overload  # type: ignore[override]  # on purpose narrower than what runs
        def connect(  # pyright: ignore[reportIncompatibleMethodOverride]
            self, receiver: Callable[P, R], sender: object = ANY, **options: Unpack[ConnectOptions]
        ) -> Callable[P, R]: ...
        @overload
        def connect(
            self, receiver: Callable[Concatenate[Any, P], R], sender: object = ANY, **options: Unpack[ConnectOptions]
        ) -> Callable[Concatenate[Any, P], R]: ...
        @overload
        def connect(self, receiver: K, sender: object = ANY, **options: Unpack[ConnectOptions]) -> K: ...
        @overload
        def connect(
            self, receiver: None = None, sender: object = ANY, **options: Unpack[ConnectOptions]
        ) -> Connector[P]: ...
        def connect(self, receiver: Any = None, sender: object = ANY, **options: Any) -> Any: ...

        def connect_via(self, sender: object, weak: bool = False) -> Connector[P]: ...
        def connected_to(
            self,
            receiver: Callable[P, Any] | Callable[Concatenate[Any, P], Any] | TakesKeywords,
            sender: object = ANY,
        ) -> AbstractContextManager[None]: ...

        def send(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...
        def send_robust(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...
        async def asend(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...
        async def asend_robust(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...
        async def send_async(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...

        @property
        def receiver_connected(self) -> Signal[...]: ...
        @property
        def receiver_disconnected(self) -> Signal[...]: ...
