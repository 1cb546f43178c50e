"""`Signal.receivers`: a look at who is connected."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from torngas_signal._receivers import Receiver

__all__ = ["ReceiversView"]


class ReceiversView(Mapping[Hashable, Callable[..., Any]]):
    """A read-only mapping of identifications to receivers, or to weak references of them. It follows changes."""

    __slots__ = ("_receivers",)

    def __init__(self, receivers: Mapping[Hashable, Receiver]) -> None:
        self._receivers = receivers

    def __getitem__(self, key: Hashable) -> Callable[..., Any]:
        reference: Callable[..., Any] = self._receivers[key].reference
        return reference

    def __iter__(self) -> Iterator[Hashable]:
        return iter(tuple(self._receivers))

    def __len__(self) -> int:
        return len(self._receivers)

    def __repr__(self) -> str:
        return repr(dict(self))
