"""Which signals a block sends.

with capture_signals(handler_started, call_finished) as sent:
    client.get("/")
assert [one.name for one in sent] == ["handler_started", "call_finished"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torngas_signal import Signal, lifecycle

__all__ = ["CapturedSignal", "capture_signals"]


@dataclass(frozen=True, slots=True)
class CapturedSignal:
    """One sending.

    Attributes:
        signal: Which.
        sender: Who.
        payload: With what, by name.
    """

    signal: Any
    sender: Any
    payload: dict[str, Any]

    @property
    def name(self) -> str:
        """The signal's name."""
        return str(self.signal.name)


@contextmanager
def capture_signals(*signals: Any) -> Iterator[list[CapturedSignal]]:
    """Notes what is sent inside the block, in order; other receivers are told as ever.

    Args:
        *signals: Which; none are those of a request, which an application with SignalMiddleware sends.

    Yields:
        A list that grows.
    """
    seen: list[CapturedSignal] = []
    with ExitStack() as stack:
        for signal in signals or _of_requests():
            stack.enter_context(signal.connected_to(_noting(signal, seen)))
        yield seen


def _of_requests() -> list[Any]:
    found = (getattr(lifecycle, name) for name in lifecycle.__all__)
    return [one for one in found if isinstance(one, Signal)]


def _noting(signal: Any, seen: list[CapturedSignal]) -> Callable[..., None]:
    def note(sender: Any, **payload: Any) -> None:
        payload.pop("signal", None)
        seen.append(CapturedSignal(signal, sender, payload))

    return note
