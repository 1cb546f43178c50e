"""The short path: a handler does not pay for what its request does not use.

class Hello(ShortPathMixin, RequestHandler):
    def get(self):
        self.write("hello")
"""

from __future__ import annotations

from asyncio import Future
from typing import Any, ClassVar, Protocol

from tornado.httputil import HTTPHeaders, ResponseStartLine
from tornado.web import RequestHandler

from . import _tornado
from ._json import encoder

__all__ = ["ShortPathMixin", "WholeResponseConnection"]

_REPLACEABLE = frozenset({"__init__", "clear", "finish", "flush"} if _tornado.CHECKED else ())


class WholeResponseConnection(Protocol):
    """A `tornado.httputil.HTTPConnection` that may be given a response in one call; handlers look for the method.

    Where `request.connection` has none they call `write_headers` and `finish`.
    """

    def write_response(self, start_line: ResponseStartLine, headers: HTTPHeaders, body: bytes, /) -> Future[None]:
        """Sends what `write_headers(start_line, headers, body)` and then `finish()` would send.

        Args:
            start_line: Its `version` is empty, as in Tornado's handlers: only `code` and `reason` count.
            headers: With `Content-Length`. The connection may keep and change them.
            body: Empty for HEAD, whose `Content-Length` counts the body that GET would have; else all of it.

        Returns:
            A future, perhaps done already: the bytes were taken, or a StreamClosedError says that the client left.
        """
        ...


class ShortPathMixin(RequestHandler):
    """Put before `RequestHandler`, or any subclass of it, among the bases; what is sent stays the same.

    Under any application the default headers are made once a second and the namespaces of `ui` when they are used.
    Under this package's application a request whose hooks, `prepare` and method are plain functions is answered at
    once, without a coroutine and a task: `asyncio.current_task()` is then the connection's. A plain function may still
    return an awaitable. Coroutines, and handlers with a streamed body, have their task from the beginning, as in
    Tornado.

    Settings of the application:
        short_path: False leaves every request to Tornado's own way. Default True.
        etag: True, the default, hashes each whole body answered with 200 to GET and HEAD, as Tornado does. "auto"
            leaves out responses that say `Cache-Control: no-store`, which nobody may keep to ask for again. False
            never does. A handler's own `compute_etag` or `Etag` header counts in any case.
        json: What encodes a dictionary given to `write`: "orjson", "msgspec" or a function from a dictionary to
            bytes. Default None: Tornado's own. The libraries write no blanks and no escapes for what is not ASCII,
            and null for NaN; what they do not take (integers beyond 64 bits, a few key types) Tornado's encoder
            gets. `</` is escaped in any case.

    Attributes:
        short_path: False on a class leaves its requests to Tornado's own way.
    """

    short_path: ClassVar[bool] = True
    _replaces: ClassVar[frozenset[str]] = _REPLACEABLE
    """Whose next definition is Tornado's, so that it may be repeated in place of being called."""
    _is_whole = False
    """The next flush is the whole response, and nobody told the connection yet that there is no more."""

    if _tornado.CHECKED:
        ui = _tornado.LazyUI()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Looks which methods a class between this one and RequestHandler overrides."""
        super().__init_subclass__(**kwargs)
        between = cls.__mro__[cls.__mro__.index(ShortPathMixin) + 1 : cls.__mro__.index(RequestHandler)]
        cls._replaces = _REPLACEABLE.difference(*map(vars, between))

    def __init__(self, application: Any, request: Any, **kwargs: Any) -> None:
        if "__init__" in self._replaces:
            _tornado.begin(self, application, request, kwargs)
        else:
            super().__init__(application, request, **kwargs)

    def clear(self) -> None:  # noqa: D102
        if "clear" in self._replaces:
            _tornado.clear(self)
        else:
            super().clear()

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:  # noqa: D102
        if isinstance(chunk, dict) and not self._finished and (name := self.application.settings.get("json")):
            chunk = encoder(name)(chunk)
            self.set_header("Content-Type", "application/json; charset=UTF-8")
        super().write(chunk)

    def compute_etag(self) -> str | None:  # noqa: D102
        return super().compute_etag() if self._wants_etag() else None

    def _wants_etag(self) -> bool:
        wanted = self.application.settings.get("etag", True)
        if wanted == "auto":
            return "no-store" not in self._headers.get("Cache-Control", "").lower()
        return bool(wanted)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:  # noqa: D102
        if self._finished:
            return super().finish(chunk)  # which refuses
        if chunk is not None:
            self.write(chunk)
        if not self._sends_all_at_once():
            return super().finish()
        etag = self._status_code == 200 and "Etag" not in self._headers and self.request.method in ("GET", "HEAD")
        if etag and "If-None-Match" in self.request.headers:
            return super().finish()
        if etag and type(self).compute_etag is not ShortPathMixin.compute_etag:
            self.set_etag_header()
            etag = False
        sent: Future[None] = _tornado.finish(self, etag=etag and self._wants_etag())
        return sent

    def _sends_all_at_once(self) -> bool:
        """Whether the response is all there, and nothing that its end would call is overridden."""
        cls = type(self)
        status = self._status_code
        return (
            "finish" in cls._replaces
            and not self._headers_written
            and 200 <= status != 204
            and status != 304
            and cls.set_etag_header is RequestHandler.set_etag_header
            and cls.check_etag_header is RequestHandler.check_etag_header
            and cls.set_header is RequestHandler.set_header
        )

    def flush(self, include_footers: bool = False) -> Future[None]:  # noqa: D102
        if self._headers_written or "flush" not in self._replaces:
            return super().flush(include_footers)
        sent: Future[None] = _tornado.flush(self, finishing=include_footers)
        return sent
