"""Pages of a `select()` or of a query, on blocking and asynchronous sessions."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, overload

from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from .counting import count_rows, estimate_rows, listing_count
from .errors import PageNotFound
from .pagination import Count, Pagination
from .windows import limit_of, offset_of

if TYPE_CHECKING:
    from .query import BaseQuery

__all__ = ["AsyncPagination", "QueryPagination", "SelectPagination", "apaginate", "paginate"]

T = TypeVar("T")


class SelectPagination(Pagination[T]):
    """A page of a `select()`: objects where it selects one thing, rows where it selects several."""

    _counter: Any = None

    def _load(self) -> None:
        super()._load()
        self._counter = None  # a page may be kept; a connection may not

    def _query_items(self) -> list[T]:
        session, statement = self._query_args["session"], self._query_args["select"]
        result = session.execute(_window(self, statement))
        if self._count != "none":
            self._counter = _counter(session, result)
        found: list[T] = _things(statement, result).all()
        return found

    def _query_count(self) -> int:
        session, statement = self._query_args["session"], self._query_args["select"]
        place = session if self._counter is None else self._counter
        if self._count == "estimate" and (rows := estimate_rows(place, statement)) is not None:
            return max(rows, self._query_offset + len(self.items))
        return count_rows(place, statement)


class QueryPagination(Pagination[T]):
    """A page of a `Query`."""

    def _query_items(self) -> list[T]:
        query: BaseQuery[T] = self._query_args["query"]
        return _window(self, query).all()

    def _query_count(self) -> int:
        query: Any = self._query_args["query"]
        if self._count == "estimate" and (rows := estimate_rows(query.session, query.statement)) is not None:
            return max(rows, self._query_offset + len(self.items))
        if (counting := listing_count(query)) is None or query.dispatch.before_compile:
            return count_rows(query.session, query.statement)
        place = query.session
        if not _is_watched(place):
            subject = counting._propagate_attrs["plugin_subject"]
            place = place.connection(bind_arguments={"mapper": subject, "clause": counting})
        return int(place.scalar(counting))


class AsyncPagination(SelectPagination[T]):
    """A page of a `select()` on an asynchronous session; `prev()` and `next()` are awaited."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise TypeError(f"{type(self).__name__}: its items must be awaited; use `await apaginate(…)`.")

    @classmethod
    async def load(cls, session: Any, **options: Any) -> AsyncPagination[T]:
        """Answers a page; options as of `paginate`."""
        outer = plain_async_session(session)
        return await outer.run_sync(lambda inner: cls._loaded(session, inner, options))

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


AnySession = Session | scoped_session[Any]
AnyAsyncSession = AsyncSession | async_scoped_session[Any]
ASYNC_SESSIONS = (AsyncSession, async_scoped_session)


class _Raise(Enum):
    RAISE = "no default was given"


_RAISE = _Raise.RAISE


@overload
def paginate(
    session: AnySession,
    select: Select[Any],
    /,
    page: Any = None,
    per_page: Any = None,
    *,
    max_per_page: int | None = 100,
    error_out: bool = True,
    count: Count = True,
    default: Any = ...,
) -> SelectPagination[Any]: ...
@overload
def paginate(
    select: Select[Any],
    /,
    page: Any = None,
    per_page: Any = None,
    *,
    session: AnySession,
    max_per_page: int | None = 100,
    error_out: bool = True,
    count: Count = True,
    default: Any = ...,
) -> SelectPagination[Any]: ...
@overload
def paginate(
    session: AnyAsyncSession,
    select: Select[Any],
    /,
    page: Any = None,
    per_page: Any = None,
    *,
    max_per_page: int | None = 100,
    error_out: bool = True,
    count: Count = True,
    default: Any = ...,
) -> Awaitable[AsyncPagination[Any]]: ...
def paginate(*arguments: Any, **options: Any) -> Any:
    """Answers one page of a `select()`; with an asynchronous session, an awaitable of it.

    Args:
        session: first argument or keyword; any session.
        select: the statement; order it, or pages may overlap.
        page, per_page, max_per_page, error_out, count: see `Pagination`.
        default: the answer, instead of an error, where the page does not exist.

    Raises:
        PageNotFound: with `error_out` (the default), for a wrong or empty page; a LookupError with `status_code` 404.
    """
    session, statement, options = _subject(list(arguments), options)
    if isinstance(session, ASYNC_SESSIONS):
        return _apaginate(session, statement, options)
    instead = options.pop("default", _RAISE)
    try:
        return SelectPagination(session=session, select=statement, **options)
    except PageNotFound:
        if instead is _RAISE:
            raise
        return instead


async def _apaginate(session: Any, statement: Select[Any], options: dict[str, Any]) -> Any:
    instead = options.pop("default", _RAISE)
    try:
        return await AsyncPagination.load(session, select=statement, **options)
    except PageNotFound:
        if instead is _RAISE:
            raise
        return instead


async def apaginate(session: AnyAsyncSession, select: Select[Any], /, **options: Any) -> AsyncPagination[Any]:
    """The asynchronous `paginate`."""
    page: AsyncPagination[Any] = await _apaginate(session, select, options)
    return page


def _subject(arguments: list[Any], options: dict[str, Any]) -> tuple[Any, Select[Any], dict[str, Any]]:
    """Session and statement come in either order, by position or by name; page and per_page may follow."""
    if len(arguments) == 2 and not ("session" in options or "select" in options):
        session, statement = arguments
        if isinstance(statement, Select) and hasattr(session, "execute"):
            return session, statement, options
    session, statement = options.pop("session", None), options.pop("select", None)
    for _ in range(2):
        if arguments and statement is None and isinstance(arguments[0], Select):
            statement = arguments.pop(0)
        elif arguments and session is None and hasattr(arguments[0], "execute"):
            session = arguments.pop(0)
    if session is None or not isinstance(statement, Select) or len(arguments) > 2:
        kinds = ", ".join(type(one).__name__ for one in arguments) or "nothing more"
        raise TypeError(f"paginate: got {kinds}; expected a session, a select(), and page and per_page at most.")
    options.update(zip(("page", "per_page"), arguments, strict=False))
    return session, statement, options


def _counter(session: Any, result: Any) -> Any:
    """What counts: the connection that the items came over, so that both are of one server, judged once.

    None: the session does.
    """
    inner = session.registry() if isinstance(session, scoped_session) else session
    return None if _is_watched(inner) else getattr(getattr(result, "raw", result), "connection", None)


def _is_watched(session: Any) -> bool:
    """Whether somebody listens to the session's statements or gives all of them options: then it executes them."""
    return bool(session.dispatch.do_orm_execute or getattr(session, "execution_options", None))


W = TypeVar("W", Select[Any], "BaseQuery[Any]")


def _window(page: Pagination[Any], statement: W) -> W:
    return statement.limit(limit_of(page._query_limit)).offset(offset_of(page._query_offset))


def _things(statement: Select[Any], result: Any) -> Any:
    columns = statement._raw_columns
    entities = [found for column in columns if (found := column._annotations.get("parententity")) is not None]
    if entities and (statement._with_options or any(map(_joins_eagerly, entities))):
        result = result.unique()  # joined eager loading of collections repeats rows
    single = len(columns) == 1 and (bool(entities) or isinstance(columns[0], ColumnElement))
    return result.scalars() if single else result


def _joins_eagerly(entity: Any) -> bool:
    return any(relation.lazy in ("joined", False) for relation in entity.mapper.relationships)


def plain_async_session(session: AnyAsyncSession) -> AsyncSession:
    """Answers the session itself where a scoped one was given."""
    return session() if isinstance(session, async_scoped_session) else session
