"""Pages of a query: numbers, items and the links between them.

    page = paginate(session, select(User).order_by(User.id), page=2, per_page=20)
    page.items, page.total, page.pages, list(page.iter_pages())

`count` says what the total may cost: `"exact"` (True) counts, `"estimate"` asks the server's planner, `"none"`
(False) asks nothing and reads one row more to know whether there is a next page. Pages by number are read again from
the start each time; for deep paging use `paginate_keyset`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from .counting import count_rows, estimate_rows
from .errors import PageNotFound

if TYPE_CHECKING:
    from .query import BaseQuery

__all__ = ["AsyncPagination", "Count", "Pagination", "QueryPagination", "SelectPagination", "apaginate", "paginate"]

T = TypeVar("T")
Count = Literal["exact", "estimate", "none"] | bool
_COUNTS = {True: "exact", False: "none", "exact": "exact", "estimate": "estimate", "none": "none"}
DEFAULT_PER_PAGE = 20


class Pagination(Generic[T]):
    """One page. Subclasses say where the items come from: `_query_items`, `_query_count`, and `_query_offset`.

    Args:
        page: number of the page, from 1; None is 1. Digits in a string will do.
        per_page: items per page; None is 20.
        max_per_page: the most that `per_page` may ask for; more becomes that many. None: no limit.
        error_out: whether a wrong page or size raises. False: the nearest sane value is taken.
        count: `exact`/True, `estimate`, or `none`/False.
        arguments: whatever the subclass needs, kept in `_query_args`.

    Attributes:
        page, per_page, max_per_page: what was really used.
        items: the items of this page.
        total: all items of all pages; None without a count.

    Raises:
        PageNotFound: with `error_out`, for what is no number, below 1, or an empty page after the first.
    """

    def __init__(
        self,
        page: Any = None,
        per_page: Any = None,
        max_per_page: int | None = 100,
        error_out: bool = True,
        count: Count = True,
        **arguments: Any,
    ) -> None:
        self._configure(page, per_page, max_per_page, error_out, count, arguments)
        self._load()

    def _configure(
        self,
        page: Any,
        per_page: Any,
        max_per_page: int | None,
        error_out: bool,
        count: Count,
        arguments: dict[str, Any],
    ) -> None:
        if count not in _COUNTS:
            raise ValueError(f"paginate(count=): got {count!r}; expected 'exact', 'estimate', 'none', True or False.")
        self._query_args = arguments
        self._error_out = error_out
        self._count = _COUNTS[count]
        self.max_per_page = max_per_page
        self.page = _positive("page", page, 1, error_out)
        size = _positive("per_page", per_page, DEFAULT_PER_PAGE, error_out)
        self.per_page = size if max_per_page is None else min(size, max_per_page)
        self.items: list[T] = []
        self.total: int | None = None
        self._more = False

    def _load(self) -> None:
        self._keep(self._query_items())
        if not self.items and self.page > 1 and self._error_out:
            raise self._not_found()
        self.total = self._total()
        if not self.items and self.page > 1 and self.total:
            self.page = self.pages
            self._keep(self._query_items())

    def _not_found(self) -> PageNotFound:
        return PageNotFound(f"page: got {self.page}; expected a page that has items (with {self.per_page} each).")

    @property
    def _query_offset(self) -> int:
        """How many items come before this page."""
        return (self.page - 1) * self.per_page

    @property
    def _query_limit(self) -> int:
        """How many items to ask for: one more than a page where nothing is counted."""
        return self.per_page + (self._count == "none")

    def _query_items(self) -> list[T]:
        """Answers the items of the page, at most `_query_limit` from `_query_offset` on."""
        raise NotImplementedError

    def _query_count(self) -> int:
        """Answers the number of all items."""
        raise NotImplementedError

    def _keep(self, items: list[T]) -> None:
        self._more = self._count == "none" and len(items) > self.per_page
        self.items = items[: self.per_page] if self._more else items

    def _total(self) -> int | None:
        if self._count == "none":
            return None
        known = self._known_total()
        return self._query_count() if known is None else known

    def _known_total(self) -> int | None:
        """The total where the page itself tells: a page that is not full is the last one."""
        if 0 < len(self.items) < self.per_page or (not self.items and self.page == 1):
            return self._query_offset + len(self.items)
        return None

    @property
    def first(self) -> int:
        """The number of this page's first item, from 1; 0 on an empty page."""
        return self._query_offset + 1 if self.items else 0

    @property
    def last(self) -> int:
        """The number of this page's last item; 0 on an empty page."""
        return self._query_offset + len(self.items) if self.items else 0

    @property
    def pages(self) -> int:
        """How many pages there are; 0 without items or without a count."""
        return -(-(self.total or 0) // self.per_page)

    @property
    def has_prev(self) -> bool:
        """Whether there is a page before."""
        return self.page > 1

    @property
    def prev_num(self) -> int | None:
        """The number of the page before; None on the first."""
        return self.page - 1 if self.has_prev else None

    def prev(self, *, error_out: bool = False) -> Any:
        """Answers the page before; on the first page it is the first again, or raises with `error_out`."""
        return self._at(self.page - 1, error_out)

    @property
    def has_next(self) -> bool:
        """Whether there is a page after; known without a count too."""
        return self._more if self._count == "none" else self.page < self.pages

    @property
    def next_num(self) -> int | None:
        """The number of the page after; None on the last."""
        return self.page + 1 if self.has_next else None

    def next(self, *, error_out: bool = False) -> Any:
        """Answers the page after; behind the last page it is the last again, or raises with `error_out`."""
        return self._at(self.page + 1, error_out)

    def _at(self, page: int, error_out: bool) -> Any:
        return type(self)(
            page=page,
            per_page=self.per_page,
            max_per_page=self.max_per_page,
            error_out=error_out,
            count=self._count,  # type: ignore[arg-type]  # checked when it came in
            **self._query_args,
        )

    def iter_pages(
        self, *, left_edge: int = 2, left_current: int = 2, right_current: int = 4, right_edge: int = 2
    ) -> Iterator[int | None]:
        """Yields page numbers for a row of links, None for each gap.

        Args:
            left_edge: pages at the start; left_current: before the current one;
            right_current: after it; right_edge: at the end. 0 leaves them out.
        """
        shown = {*range(1, left_edge + 1), *range(self.page - left_current, self.page + right_current + 1)}
        shown.update(range(self.pages - right_edge + 1, self.pages + 1))
        before = 0
        for number in sorted(number for number in shown if 1 <= number <= self.pages):
            if number > before + 1:
                yield None
            yield number
            before = number

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True  # a page without items is a page; ask len() or items

    def __repr__(self) -> str:
        return f"<{type(self).__name__} page={self.page} per_page={self.per_page} total={self.total}>"


class SelectPagination(Pagination[T]):
    """A page of a `select()`: objects where it selects one thing, rows where it selects several."""

    def _query_items(self) -> list[T]:
        statement: Select[Any] = self._query_args["select"]
        result = self._query_args["session"].execute(_window(self, statement))
        return list(_things(statement, result))

    def _query_count(self) -> int:
        session, statement = self._query_args["session"], self._query_args["select"]
        if self._count == "estimate" and (rows := estimate_rows(session, statement)) is not None:
            return max(rows, self._query_offset + len(self.items))
        return count_rows(session, statement)


class QueryPagination(Pagination[T]):
    """A page of a `Query`."""

    def _query_items(self) -> list[T]:
        query: BaseQuery[T] = self._query_args["query"]
        return query.limit(self._query_limit).offset(self._query_offset).all()

    def _query_count(self) -> int:
        query: BaseQuery[T] = self._query_args["query"]
        statement: Any = query.statement
        if self._count == "estimate" and (rows := estimate_rows(query.session, statement)) is not None:
            return max(rows, self._query_offset + len(self.items))
        return count_rows(query.session, statement)


class AsyncPagination(SelectPagination[T]):
    """A page of a `select()` on an asynchronous session; `prev()` and `next()` are awaited."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise TypeError(f"{type(self).__name__}: its items must be awaited; use `await apaginate(…)`.")

    @classmethod
    async def load(cls, session: Any, **options: Any) -> AsyncPagination[T]:
        """Answers a page; options as of `paginate`."""
        return await session.run_sync(lambda inner: cls._loaded(session, inner, options))  # type: ignore[no-any-return]

    @classmethod
    def _loaded(cls, session: Any, inner: Session, options: dict[str, Any]) -> AsyncPagination[T]:
        page = cls.__new__(cls)
        page._configure(
            options.pop("page", None),
            options.pop("per_page", None),
            options.pop("max_per_page", 100),
            options.pop("error_out", True),
            options.pop("count", True),
            {"session": inner, "select": options["select"]},
        )
        page._load()
        page._query_args = {"session": session, "select": options["select"]}
        return page

    def _at(self, page: int, error_out: bool) -> Awaitable[AsyncPagination[T]]:
        return self.load(
            page=page,
            per_page=self.per_page,
            max_per_page=self.max_per_page,
            error_out=error_out,
            count=self._count,
            **self._query_args,
        )


_AnySession = Session | scoped_session[Any]
_AnyAsyncSession = AsyncSession | async_scoped_session[Any]
_ASYNC_SESSIONS = (AsyncSession, async_scoped_session)


@overload
def paginate(session: _AnySession, select: Select[Any], /, **options: Any) -> SelectPagination[Any]: ...
@overload
def paginate(select: Select[Any], /, *, session: _AnySession, **options: Any) -> SelectPagination[Any]: ...
@overload
def paginate(session: _AnyAsyncSession, select: Select[Any], /, **options: Any) -> Awaitable[AsyncPagination[Any]]: ...
@overload
def paginate(
    select: Select[Any], /, *, session: _AnyAsyncSession, **options: Any
) -> Awaitable[AsyncPagination[Any]]: ...
def paginate(first: Any, second: Any = None, /, *, session: Any = None, **options: Any) -> Any:
    """Answers one page of a `select()`; with an asynchronous session, an awaitable of it.

    Args:
        session: first argument or keyword; any session.
        select: the statement; order it, or pages may overlap.
        page, per_page, max_per_page, error_out, count: see `Pagination`.

    Raises:
        PageNotFound: with `error_out` (the default), for a wrong or empty page; a LookupError with `status_code` 404.
    """
    if isinstance(first, Select):
        statement, session = first, second if session is None else session
    else:
        statement, session = second, first
    if session is None or not isinstance(statement, Select):
        raise TypeError(
            f"paginate: got {type(first).__name__} and {type(second).__name__}; expected a session and a select()."
        )
    if isinstance(session, _ASYNC_SESSIONS):
        return AsyncPagination.load(session, select=statement, **options)
    return SelectPagination(session=session, select=statement, **options)


async def apaginate(session: _AnyAsyncSession, select: Select[Any], /, **options: Any) -> AsyncPagination[Any]:
    """The asynchronous `paginate`."""
    return await AsyncPagination.load(session, select=select, **options)


def _window(page: Pagination[Any], statement: Select[Any]) -> Select[Any]:
    return statement.limit(page._query_limit).offset(page._query_offset)


def _things(statement: Select[Any], result: Any) -> Any:
    # Only the ORM knows `unique`, which joined eager loading of collections needs.
    if statement._propagate_attrs:
        result = result.unique()
    return result.scalars() if len(statement.column_descriptions) == 1 else result


def _positive(name: str, value: Any, default: int, error_out: bool) -> int:
    if value is None:
        return default
    number = _integer(value)
    if number is not None and number >= 1:
        return number
    if error_out:
        raise PageNotFound(f"{name}: got {str(value)[:40]!r}; expected a whole number from 1.")
    return 1 if name == "page" else default


def _integer(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    # A database's integers end at 64 bits; longer digits are no page of anything.
    return int(text) if text.isascii() and text.lstrip("-").isdigit() and len(text) <= 15 else None
