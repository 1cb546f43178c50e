r"""Redirects that stay on the host, whatever stands in the request.

    self.redirect(local_url(self.get_argument("next", "")))

    class Post(RequestHandler):
        @addslash
        def get(self): ...

Browsers read `/\host` as `//host`, drop tabs and line ends wherever they stand, and take `http:host` for another
host (WHATWG URL, "basic URL parser"); proxies may decode `%2F`. What any of them could take for another host is not
followed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

from tornado.web import HTTPError, RedirectHandler, RequestHandler

__all__ = ["LocalRedirectHandler", "addslash", "is_local_url", "local_url", "removeslash"]

_DROPPED_BY_BROWSERS = re.compile(r"[\x00-\x20\x7f]")
_ABSOLUTE = re.compile(r"https?://[^/\\?#@]+(?:[/?#]|\Z)", re.IGNORECASE)
_MOST_DECODINGS = 8

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=RequestHandler)
Method = Callable[Concatenate[H, P], R]


def is_local_url(url: str | None, *, hosts: Collection[str] = ()) -> bool:
    """Whether every browser stays on this host (or one of `hosts`) when it is sent to `url`.

    Args:
        url: What came from outside, e.g. an argument `next`. None and "" are no URLs. Only paths from the root are
            local, `/path?query#fragment`: neither `page` nor `?query`, which also depend on where one is.
        hosts: Names, with their port if it is not the scheme's own, that absolute http(s) URLs may lead to.
    """
    if not url or _DROPPED_BY_BROWSERS.search(url):
        return False
    if not url.startswith("/"):
        return bool(_ABSOLUTE.match(url)) and urlsplit(url).netloc.lower() in {host.lower() for host in hosts}
    head = _decoded(re.split("[?#]", url, maxsplit=1)[0])
    return not head.startswith("//") and not _DROPPED_BY_BROWSERS.search(head[:2])


def local_url(url: str | None, default: str = "/", *, hosts: Collection[str] = ()) -> str:
    """`url` if `is_local_url` holds for it, else `default`."""
    return url if url is not None and is_local_url(url, hosts=hosts) else default


def addslash(method: Method[H, P, R]) -> Method[H, P, R | None]:
    """Redirects GET and HEAD of `/page` to `/page/`; other methods get a 404, a path of another host a 403."""

    @functools.wraps(method)
    def wrapper(self: H, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        path = self.request.path
        if path.endswith("/"):
            return method(self, *args, **kwargs)
        _redirect(self, path + "/")
        return None

    return wrapper


def removeslash(method: Method[H, P, R]) -> Method[H, P, R | None]:
    """Redirects GET and HEAD of `/page/` to `/page`; other methods get a 404, a path of another host a 403."""

    @functools.wraps(method)
    def wrapper(self: H, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        path = self.request.path
        bare = path.rstrip("/")
        if bare in ("", path):
            return method(self, *args, **kwargs)
        _redirect(self, bare)
        return None

    return wrapper


class LocalRedirectHandler(RedirectHandler):
    r"""Tornado's RedirectHandler whose result must be local: a group cannot bring in another host.

    path("/old/<path:rest>", LocalRedirectHandler, {"url": "/{rest}"}) answers 403 to `/old//host`.
    """

    def initialize(self, url: str, permanent: bool = True, hosts: Collection[str] = ()) -> None:
        """`url`: the target, with Tornado's `{0}` or `{name}` for groups; `hosts`: others that are allowed."""
        super().initialize(url, permanent)
        self._hosts = hosts

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Tornado's, for local targets only."""
        if not is_local_url(url, hosts=self._hosts):
            raise HTTPError(403, "not redirecting to another host")
        super().redirect(url, permanent, status)


def _redirect(handler: RequestHandler, path: str) -> None:
    if handler.request.method not in ("GET", "HEAD"):
        raise HTTPError(404)
    if not is_local_url(path):
        raise HTTPError(403, "not redirecting to a path that browsers may take for another host")
    query: Any = handler.request.query
    handler.redirect(f"{path}?{query}" if query else path, permanent=True)


def _decoded(path: str) -> str:
    """What the most eager reader makes of it: percent escapes undone as often as there are any, no backslashes."""
    for _ in range(_MOST_DECODINGS):
        before, path = path, unquote(path)
        if path == before:
            break
    return path.replace("\\", "/")
