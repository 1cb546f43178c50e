"""Pages of a query: numbers, items and the links between them.

    page = paginate(session, select(User).order_by(User.id), page=2, per_page=20)
    page.items, page.total, page.pages, list(page.iter_pages())

`count` says what the total may cost: `"exact"` (True) counts, `"estimate"` asks the server's planner, `"none"`
(False) asks nothing and reads one row more to know whether there is a next page. Pages by number are read again from
the start each time; for deep paging use `paginate_keyset`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, Literal, TypeVar

from .errors import PageNotFound

__all__ = ["Count", "Pagination", "page_size"]

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
        self.per_page = page_size(per_page, max_per_page, error_out)
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


def page_size(per_page: Any, most: int | None, error_out: bool) -> int:
    """Answers the items per page: 20 for None, `most` at most.

    Raises:
        PageNotFound: with `error_out`, for what is no number from 1.
    """
    size = _positive("per_page", per_page, DEFAULT_PER_PAGE, error_out)
    return size if most is None else min(size, most)


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
