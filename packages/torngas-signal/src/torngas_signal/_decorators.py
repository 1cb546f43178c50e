"""`receiver`: connects a function where it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, Unpack

from torngas_signal._senders import ANY
from torngas_signal._signal import Dispatcher
from torngas_signal._typing import ConnectOptions

__all__ = ["receiver"]

F = TypeVar("F", bound=Callable[..., Any])


def receiver(
    signal: Dispatcher | Iterable[Dispatcher], sender: object = ANY, **options: Unpack[ConnectOptions]
) -> Callable[[F], F]:
    """Answers a decorator that connects a function to a signal, or to each of several.

    It leaves the function as it is, so that it works on functions in a class body too, which are connected as the
    plain functions that they are there.

        class MyService:
            @receiver(call_started)
            def callback(**kwargs): ...

    Args:
        signal: One signal, or several.
        sender: As for `Signal.connect`, like all other arguments.
    """
    signals = [signal] if isinstance(signal, Dispatcher) else list(signal)

    def connect(function: F) -> F:
        for each in signals:
            each.connect(function, sender, **options)
        return function

    return connect
