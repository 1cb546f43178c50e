"""What `tornado.web.RequestHandler` does to begin and to end a response, done again in fewer steps."""

from __future__ import annotations

from hashlib import sha1
from typing import Any

import tornado
from tornado.httputil import HTTPHeaders, ResponseStartLine
from tornado.util import ObjectDict
from tornado.web import RequestHandler, _UIModuleNamespace

from .._date import date

__all__ = ["LazyUI", "begin", "clear", "finish", "flush"]

_tuple = tuple.__new__  # a named tuple without the call of its constructor
_HASH = sha1(usedforsecurity=False)  # a copy of an empty one is sooner made than another
_SERVER = f"TornadoServer/{tornado.version}"


class LazyUI:
    """The attribute `ui` of a handler, made when it is first asked for; `_break_cycles` ends it as ever."""

    def __get__(self, handler: RequestHandler | None, owner: type) -> Any:
        if handler is None:
            return self
        application = handler.application
        made = ObjectDict((name, handler._ui_method(method)) for name, method in application.ui_methods.items())
        made["_tt_modules"] = made["modules"] = _UIModuleNamespace(handler, application.ui_modules)
        handler.__dict__["ui"] = made
        return made


def begin(handler: RequestHandler, application: Any, request: Any, kwargs: dict[str, Any]) -> None:
    """`RequestHandler.__init__`, but `ui` waits for its first use."""
    super(RequestHandler, handler).__init__()
    handler.application = application
    handler.request = request
    handler._headers_written = handler._finished = False
    handler._auto_finish = True
    handler._prepared_future = None
    handler.clear()
    request.connection.set_close_callback(handler.on_connection_close)
    handler.initialize(**kwargs)


def clear(handler: RequestHandler) -> None:
    """`RequestHandler.clear`."""
    headers = HTTPHeaders.__new__(HTTPHeaders)
    headers._as_list = {
        "Server": [_SERVER],
        "Content-Type": ["text/html; charset=UTF-8"],
        "Date": [date()],
    }
    headers._combined_cache = {}
    handler._headers = headers
    handler.set_default_headers()
    handler._write_buffer = []
    handler._status_code = 200
    handler._reason = "OK"


def finish(handler: Any, *, etag: bool) -> Any:
    """`RequestHandler.finish`, for a response of which nothing was sent, and whose status allows a body.

    Args:
        handler: Whose response it is.
        etag: Whether to hash the body.
    """
    buffer, fields = handler._write_buffer, handler._headers._as_list
    if len(buffer) != 1:
        buffer[:] = (b"".join(buffer),)
    if etag:
        digest = _HASH.copy()
        digest.update(buffer[0])
        fields["Etag"] = [f'"{digest.hexdigest()}"']
    if "Content-Length" not in fields:
        fields["Content-Length"] = [str(len(buffer[0]))]
    connection = handler.request.connection
    connection.set_close_callback(None)
    handler._is_whole = True
    try:
        sent = handler.flush(include_footers=True)
        if handler._is_whole:
            connection.finish()
    finally:
        handler._is_whole = False
    handler._log()
    handler._finished = True
    handler.on_finish()
    handler._break_cycles()
    return sent


def flush(handler: Any, *, finishing: bool) -> Any:
    """`RequestHandler.flush`, where no headers were sent yet.

    Args:
        handler: Whose response it is.
        finishing: Whether nothing follows.
    """
    request, buffer = handler.request, handler._write_buffer
    body = buffer[0] if len(buffer) == 1 else b"".join(buffer)
    handler._write_buffer = []
    handler._headers_written = True
    for transform in handler._transforms:
        handler._status_code, handler._headers, body = transform.transform_first_chunk(
            handler._status_code, handler._headers, body, finishing
        )
    if request.method == "HEAD":
        body = b""
    if "_new_cookie" in handler.__dict__:
        for cookie in handler._new_cookie.values():
            handler.add_header("Set-Cookie", cookie.OutputString(None))
    line = _tuple(ResponseStartLine, ("", handler._status_code, handler._reason))
    connection = request.connection
    if handler._is_whole:
        write = getattr(connection, "write_response", None)
        if write is not None:
            handler._is_whole = False
            return write(line, handler._headers, body)
    return connection.write_headers(line, handler._headers, body)
