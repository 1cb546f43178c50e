"""`get_or_set`: one recomputation per key."""

from __future__ import annotations

from typing import Any

from torngas_cache._async_face import AsyncFace
from torngas_cache._keymaking import DEFAULT_TIMEOUT, MISSING, Timeout


class Recomputing(AsyncFace):
    """`get_or_set` and `aget_or_set`."""

    def get_or_set(self, key: Any, default: Any, timeout: Timeout = DEFAULT_TIMEOUT, version: Any = None) -> Any:
        """The value; where there is none, `default` (called if it can be) is stored and returned."""
        value = self.get(key, MISSING, version)
        if value is not MISSING:
            return value
        value = default() if callable(default) else default
        self.add(key, value, timeout, version)
        return self.get(key, value, version)
