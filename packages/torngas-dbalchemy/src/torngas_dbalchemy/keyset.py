"""Pages by place instead of number: as fast on page 10,000 as on page 1, and steady while rows come and go.

page = paginate_keyset(session, select(Post).order_by(Post.created.desc()), per_page=20, key=secret)
page = paginate_keyset(session, select(Post).order_by(Post.created.desc()), cursor=page.next_cursor, key=secret)
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import Select, inspect
from sqlalchemy.orm import Session

from .cursors import CursorSigner, Key
from .errors import CursorError
from .ordering import Order, order_of
from .pages import ASYNC_SESSIONS, AnyAsyncSession, AnySession, plain_async_session
from .pagination import page_size

__all__ = ["KeysetPage", "apaginate_keyset", "paginate_keyset"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysetPage(Generic[T]):
    """One page by place.

    Attributes:
        items: the items, in the order of the query, also when paging backwards.
        per_page: how many were asked for.
        next_cursor: for the page after; None on the last.
        prev_cursor: for the page before; None on the first.
    """

    items: list[T]
    per_page: int
    next_cursor: str | None
    prev_cursor: str | None

    @property
    def has_next(self) -> bool:
        """Whether there is a page after."""
        return self.next_cursor is not None

    @property
    def has_prev(self) -> bool:
        """Whether there is a page before."""
        return self.prev_cursor is not None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True  # a page without items is a page; ask len() or items


@overload
def paginate_keyset(
    session: AnySession,
    select: Select[Any],
    *,
    cursor: str | None = None,
    per_page: Any = None,
    max_per_page: int | None = 100,
    key: Key = None,
    error_out: bool = True,
) -> KeysetPage[Any]: ...
@overload
def paginate_keyset(
    session: AnyAsyncSession,
    select: Select[Any],
    *,
    cursor: str | None = None,
    per_page: Any = None,
    max_per_page: int | None = 100,
    key: Key = None,
    error_out: bool = True,
) -> Awaitable[KeysetPage[Any]]: ...
def paginate_keyset(session: Any, select: Any, **options: Any) -> Any:
    """Answers one page by place; with an asynchronous session, an awaitable of it.

    Args:
        session: any session.
        select: the statement. Its ORDER BY may mix directions and hold NULLs; the primary key is added to it. Not
            grouped, and not ordered by an approximate number that the server rounds (MySQL FLOAT).
        cursor: `next_cursor` or `prev_cursor` of another page; None or "" begins.
        per_page: items per page, 20 by default.
        max_per_page: the most that `per_page` may ask for; None: no limit.
        key: the secret that signs cursors, or several, newest first; None: one of this process only.
        error_out: whether a bad cursor or size raises; else the list begins anew.

    Raises:
        CursorError: the cursor was changed, or belongs to another order; a PageNotFound.
        ValueError: the statement cannot be paged this way.
    """
    if isinstance(session, ASYNC_SESSIONS):
        return apaginate_keyset(session, select, **options)
    return _Keyset(session, select, **options).page()


async def apaginate_keyset(session: AnyAsyncSession, select: Select[Any], **options: Any) -> KeysetPage[Any]:
    """The asynchronous `paginate_keyset`."""
    return await plain_async_session(session).run_sync(lambda inner: _Keyset(inner, select, **options).page())


class _Keyset:
    """One reading of a page."""

    def __init__(
        self,
        session: Session,
        statement: Select[Any],
        *,
        cursor: str | None = None,
        per_page: Any = None,
        max_per_page: int | None = 100,
        key: Key = None,
        error_out: bool = True,
    ) -> None:
        self._session = session
        self._statement = statement
        self._signer = CursorSigner(key)
        self._size = page_size(per_page, max_per_page, error_out)
        self._dialect = session.get_bind(**_bind_arguments(statement)).dialect
        self._order = order_of(statement, self._dialect)
        self._print = self._order.fingerprint(self._dialect)
        self._direction, self._values = self._place(cursor, error_out)

    def page(self) -> KeysetPage[Any]:
        """Reads one row more than asked for, to know whether the list goes on."""
        items, places = self._read()
        more = len(items) > self._size
        items, places = items[: self._size], places[: self._size]
        if self._direction == "before":
            items.reverse()
            places.reverse()
        goes_on = more if self._direction == "after" else bool(items)
        came_from = bool(self._values and items) if self._direction == "after" else more
        return KeysetPage(
            items=items,
            per_page=self._size,
            next_cursor=self._cursor("after", places[-1]) if goes_on else None,
            prev_cursor=self._cursor("before", places[0]) if came_from else None,
        )

    def _place(self, cursor: str | None, error_out: bool) -> tuple[str, list[Any]]:
        if not cursor:
            return "after", []
        try:
            return self._signer.decode(cursor, self._print)
        except CursorError:
            if error_out:
                raise
            return "after", []

    def _cursor(self, direction: str, place: Any) -> str:
        return self._signer.encode(direction, self._print, place)

    def _read(self) -> tuple[list[Any], list[Any]]:
        order = self._order if self._direction == "after" else self._order.reversed()
        width = len(self._statement.column_descriptions)
        result: Any = self._session.execute(self._window(order))
        if self._statement._propagate_attrs:
            result = result.unique()  # needed by joined eager loading of collections
        frozen = result.freeze()
        places = [tuple(row)[width:] for row in frozen().all()]
        found = frozen().scalars() if width == 1 else frozen().columns(*range(width))
        return found.all(), places

    def _window(self, order: Order) -> Select[Any]:
        statement = self._statement.order_by(None).order_by(*order.clauses(self._dialect))
        if self._values:
            statement = statement.where(order.after(self._values))
        keys = [term.expression.label(f"_key{number}") for number, term in enumerate(order.terms)]
        return statement.add_columns(*keys).limit(self._size + 1)


def _bind_arguments(statement: Select[Any]) -> dict[str, Any]:
    entities = (description.get("entity") for description in statement.column_descriptions)
    mapper = next((entity for entity in entities if entity is not None), None)
    return {"clause": statement} if mapper is None else {"mapper": inspect(mapper).mapper, "clause": statement}
