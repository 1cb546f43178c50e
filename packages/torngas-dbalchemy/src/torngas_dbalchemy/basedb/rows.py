"""What a query answers: rows as dictionaries with attributes, made when they are asked for.

rows = db.select("person")
rows[0].name == rows[0]["name"]
for row in rows: ...  # from the second: a result is an iterator, and moves on
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from typing import Any, overload

__all__ = ["ResultSet", "Storage"]


class Storage(dict[str, Any]):
    """A row: a dictionary whose items are attributes too; a missing attribute raises AttributeError."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        return f"<Storage {dict.__repr__(self)}>"


class ResultSet(Iterator[Storage]):
    """An iterator over rows that knows its length and reaches every row by number.

    The driver has delivered the rows already, so the connection is free again; each becomes a `Storage` when asked
    for. Iterating, `list()`, `first()` and `[i]` move the iterator behind what they answered. Not for several threads.
    """

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.names = list(names)
        self._rows = rows
        self._index = 0

    def _storage(self, row: Sequence[Any]) -> Storage:
        return Storage(zip(self.names, row, strict=True))

    def __next__(self) -> Storage:
        if self._index >= len(self._rows):
            raise StopIteration
        self._index += 1
        return self._storage(self._rows[self._index - 1])

    def list(self) -> list[Storage]:
        """Answers the rows that are left."""
        rows = self._rows[self._index :] if self._index else self._rows
        self._index = len(self._rows)
        names = self.names
        return [Storage(zip(names, row, strict=False)) for row in rows]

    def first(self, default: Any = None) -> Any:
        """Answers the first row, or the default where there is none."""
        return self[0] if self._rows else default

    def __len__(self) -> int:
        return len(self._rows)

    def __bool__(self) -> bool:
        return bool(self._rows)

    @overload
    def __getitem__(self, i: int) -> Storage: ...
    @overload
    def __getitem__(self, i: slice) -> builtins.list[Storage]: ...
    def __getitem__(self, i: int | slice) -> Storage | builtins.list[Storage]:
        if isinstance(i, slice):
            return [self._storage(row) for row in self._rows[i]]
        try:
            row = self._rows[i]
        except IndexError:
            raise IndexError(f"row {i}: got a result of {len(self._rows)} rows.") from None
        self._index = max(self._index, i + 1)
        return self._storage(row)

    def __repr__(self) -> str:
        return f"<ResultSet of {len(self._rows)} rows: {', '.join(self.names)}>"
