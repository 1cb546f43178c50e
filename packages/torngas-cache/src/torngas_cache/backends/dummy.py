"""`DummyCache`: a cache that keeps nothing, for development and tests. Keys are checked as everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torngas_cache._codec import Payload
from torngas_cache._params import refuse_unknown
from torngas_cache.backends.records import RecordCache

__all__ = ["DummyCache"]


class DummyCache(RecordCache):
    """Stores nothing: `get` misses, `add` says True, `incr` raises ValueError, a lock excludes nobody. Never blocks."""

    blocking: ClassVar[bool] = False

    def __init__(self, location: object = "", params: Mapping[str, Any] | None = None) -> None:
        super().__init__(params)
        refuse_unknown("DummyCache OPTIONS", self._options, ())

    def _read(self, key: str) -> None:
        return None

    def _write(self, key: str, payload: Payload, seconds: float | None) -> None:
        pass

    def _insert(self, key: str, payload: Payload, seconds: float | None) -> bool:
        return True

    def _remove(self, key: str) -> bool:
        return False

    def _expire(self, key: str, seconds: float | None) -> bool:
        return False

    def _remaining(self, key: str) -> float:
        return 0.0

    def _increment(self, key: str, delta: int) -> None:
        return None

    def _read_token(self, key: str) -> tuple[None, None]:
        return None, None

    def _swap(self, key: str, payload: Payload, token: Any, seconds: float | None) -> bool:
        return False

    def _remove_if(self, key: str, payload: Payload) -> bool:
        return True  # locks exclude nobody here, and are never lost

    def _expire_if(self, key: str, payload: Payload, seconds: float) -> bool:
        return True

    def _wipe(self, everything: bool) -> None:
        pass
