"""`Model.Q`: SQLAlchemy's query, which paginates.

User.Q.filter(User.name == "jack").paginate(page=1, per_page=10, default=None)
"""

from __future__ import annotations

from typing import Any, Self, TypeVar

from sqlalchemy.orm import Query

from .errors import PageNotFound
from .pages import QueryPagination
from .pagination import Count
from .windows import limit_of, offset_of

__all__ = ["BaseQuery"]

T = TypeVar("T")
D = TypeVar("D")


class BaseQuery(Query[T]):
    """A query with `paginate`; everything else is SQLAlchemy's."""

    def limit(self, limit: Any) -> Self:
        """Answers the query with at most `limit` rows: a number or an expression; None: all."""
        return super().limit(limit_of(limit))

    def offset(self, offset: Any) -> Self:
        """Answers the query without its first `offset` rows: a number or an expression; None: with them."""
        return super().offset(offset_of(offset))

    def paginate(
        self,
        page: Any = 1,
        per_page: Any = 20,
        default: D | None = None,
        *,
        max_per_page: int | None = None,
        error_out: bool = False,
        clamp: bool = False,
        count: Count = True,
    ) -> QueryPagination[T] | D | None:
        """Answers one page, or `default` where there is none.

        Args:
            page: number of the page, from 1; a string of digits will do.
            per_page: items per page, from 1.
            default: the answer for a wrong page or size, or an empty page after the first.
            max_per_page: the most that `per_page` may ask for; more becomes that many. None: no limit, so give one
                where `per_page` comes from a stranger.
            error_out: raise PageNotFound instead of answering `default`.
            clamp: take the nearest page and size that exist instead.
            count: `exact`/True, `estimate`, or `none`/False, see `Pagination`.

        Raises:
            PageNotFound: only with `error_out`.
        """
        try:
            return QueryPagination(page, per_page, max_per_page, not clamp, count, query=self)
        except PageNotFound:
            if error_out:
                raise
            return default
