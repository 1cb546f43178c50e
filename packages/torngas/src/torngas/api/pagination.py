"""Pages by number or by place, from the query, with `Link` headers (RFC 8288).

    class Products(PaginationMixin, ApiHandler):
        def get(self):
            page = self.paginate(session, select(Product).order_by(Product.id))      # ?page=2&per_page=50
            self.write_api(self.page_body(page, [one.name for one in page]))

    page = self.paginate_keyset(session, select(Product).order_by(Product.created.desc()))    # ?cursor=…

With an asynchronous session both are awaited. What is no page gets 400, a page beyond the last 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from torngas.api._denials import deny
from torngas.wiring.secrets import derived_key

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["ListPage", "PaginationMixin"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """A page of a list in memory.

    Attributes:
        items: Of this page.
        page: Its number, from 1.
        per_page: How many were asked for.
        total: Of all pages.
    """

    items: Sequence[T]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; 0 without items."""
        return -(-self.total // self.per_page)

    @property
    def has_prev(self) -> bool:
        """Whether there is a page before."""
        return self.page > 1

    @property
    def has_next(self) -> bool:
        """Whether there is a page after."""
        return self.page < self.pages


class PaginationMixin(_Base):
    """Stands before the handler class in the bases.

    Attributes:
        per_page: Items of a page where the query does not say.
        max_per_page: The most that the query may ask for.
        total_header: The header with the number of all items, where it is counted; empty for none.
        cursor_key: The secret that signs cursors, or several, the newest first; None takes the setting `cookie_secret`.
    """

    per_page: ClassVar[int] = 20
    max_per_page: ClassVar[int] = 100
    total_header: ClassVar[str] = "X-Total-Count"
    cursor_key: ClassVar[Any] = None

    def paginate(self, session: Any, statement: Any, *, count: Any = "exact") -> Any:
        """Reads the page that the query asks for, and sets the headers.

        Args:
            session: Of SQLAlchemy; with an asynchronous one the answer is awaited.
            statement: A select, ordered so that every two rows can be told apart.
            count: "exact", "estimate", or "none": no total and no link to the last page.

        Returns:
            A `torngas_dbalchemy.Pagination`.

        Raises:
            Finish: `page` or `per_page` is wrong, or the page is empty and not the first; that is answered.
        """
        from torngas_dbalchemy import PageNotFound, paginate

        number, size = self.page_number(), self.page_size()
        return self._read(
            lambda: paginate(session, statement, page=number, per_page=size, max_per_page=None, count=count),
            PageNotFound,
            lambda error: self._no_page(number, size),
            self._announce,
        )

    def paginate_keyset(self, session: Any, statement: Any) -> Any:
        """Reads the page that the cursor in the query leads to, and sets the links; as fast on any page.

        Args:
            session: Of SQLAlchemy; with an asynchronous one the answer is awaited.
            statement: A select, ordered by columns; the primary key is added.

        Returns:
            A `torngas_dbalchemy.KeysetPage`.

        Raises:
            Finish: `cursor` or `per_page` is wrong; that is answered.
        """
        from torngas_dbalchemy import CursorError, paginate_keyset

        cursor, size = self._single("cursor"), self.page_size()
        key = self.cursor_key or _cursor_keys(self.settings.get("cookie_secret"))
        return self._read(
            lambda: paginate_keyset(session, statement, cursor=cursor, per_page=size, max_per_page=None, key=key),
            CursorError,
            lambda error: self._wrong("cursor", "expected a cursor of this list, as its links have it"),
            self._announce_places,
        )

    def paginate_list(self, items: Sequence[T]) -> ListPage[T]:
        """The page that the query asks for of a list in memory; sets the headers.

        Raises:
            Finish: `page` or `per_page` is wrong, or the page is empty and not the first; that is answered.
        """
        number, size = self.page_number(), self.page_size()
        page = ListPage(items[(number - 1) * size : number * size], number, size, len(items))
        if number > 1 and not page.items:
            self._no_page(number, size)
        self._announce(page)
        return page

    def page_number(self) -> int:
        """The `page` of the query, from 1; 1 if it says none.

        Raises:
            Finish: it is no number from 1; that is answered.
        """
        return self._positive("page", 1, 2**31)

    def page_size(self) -> int:
        """The `per_page` of the query.

        Raises:
            Finish: it is no number from 1 to `max_per_page`; that is answered.
        """
        return self._positive("per_page", self.per_page, self.max_per_page)

    def page_body(self, page: Any, items: Iterable[Any] | None = None) -> dict[str, Any]:
        """An object with the items and what the headers say besides, for clients that like it in the body.

        Args:
            page: What `paginate`, `paginate_list` or `paginate_keyset` answered.
            items: What stands for the page's items; None the items themselves.
        """
        body: dict[str, Any] = {"items": list(page.items if items is None else items), "per_page": page.per_page}
        if hasattr(page, "next_cursor"):
            return {**body, "next": page.next_cursor, "prev": page.prev_cursor}
        return {**body, "page": page.page, "pages": page.pages if page.total is not None else None, "total": page.total}

    def set_page_links(self, links: Mapping[str, Mapping[str, Any] | None]) -> None:
        """Sets the Link header.

        Args:
            links: From a relation, such as "next", to the query's arguments that differ there: None takes one away, and
                None in place of the arguments leaves the link out. Everything else of the address stays.
        """
        found = [f'<{self._address(changed)}>; rel="{name}"' for name, changed in links.items() if changed is not None]
        if found:
            self.set_header("Link", ", ".join(found))

    def _no_page(self, number: int, size: int) -> NoReturn:
        deny(self, 404, f"there is no page {number} of {size} items each")

    def _announce(self, page: Any) -> None:
        size = {"per_page": page.per_page}
        self.set_page_links(
            {
                "first": {"page": 1, **size},
                "prev": {"page": page.page - 1, **size} if page.has_prev else None,
                "next": {"page": page.page + 1, **size} if page.has_next else None,
                "last": {"page": max(page.pages, 1), **size} if page.total is not None else None,
            }
        )
        if self.total_header and page.total is not None:
            self.set_header(self.total_header, str(page.total))

    def _announce_places(self, page: Any) -> None:
        size = {"per_page": page.per_page}
        self.set_page_links(
            {
                "first": {"cursor": None, **size},
                "prev": {"cursor": page.prev_cursor, **size} if page.has_prev else None,
                "next": {"cursor": page.next_cursor, **size} if page.has_next else None,
            }
        )

    def _read(self, read: Any, error: type[Exception], refuse: Any, announce: Any) -> Any:
        try:
            page = read()
        except error as caught:
            return refuse(caught)
        if isawaitable(page):
            return self._read_later(page, error, refuse, announce)
        announce(page)
        return page

    async def _read_later(self, waiting: Any, error: type[Exception], refuse: Any, announce: Any) -> Any:
        try:
            page = await waiting
        except error as caught:
            return refuse(caught)
        announce(page)
        return page

    def _address(self, changed: Mapping[str, Any]) -> str:
        """The path and query with these arguments; without the host, which only the client knows for sure."""
        parts = urlsplit("/" + (self.request.uri or "/").lstrip("/"))  # "//host" would name another one
        kept = [(name, value) for name, value in parse_qsl(parts.query, True) if name not in changed]
        query = urlencode([*kept, *((name, value) for name, value in changed.items() if value is not None)])
        return quote(parts.path, safe="/%:@!$&'()*+,;=~") + (f"?{query}" if query else "")

    def _positive(self, name: str, default: int, most: int) -> int:
        text = self._single(name)
        if text is None:
            return default
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0
        if not 1 <= number <= most:
            self._wrong(name, f"expected a whole number from 1 to {most}" if most < 2**31 else "expected one from 1")
        return number

    def _single(self, name: str) -> str | None:
        values = self.get_query_arguments(name)
        if len(values) > 1:
            self._wrong(name, "expected one value, got several")
        return values[0] if values else None

    def _wrong(self, name: str, detail: str) -> NoReturn:
        problem = {"in": "query", "name": name, "detail": detail}
        deny(self, 400, f"the query argument {name!r} is wrong: {detail}", errors=[problem])


def _cursor_keys(secret: Any) -> list[str] | None:
    """Keys of their own, so that no cursor's signature is one of a cookie; the newest first."""
    if not secret:
        return None
    versions = secret if isinstance(secret, Mapping) else {0: secret}
    return [derived_key(versions[version], "pagination cursors") for version in sorted(versions, reverse=True)]
