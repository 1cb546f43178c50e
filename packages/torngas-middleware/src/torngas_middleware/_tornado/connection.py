"""What `tornado.http1connection` does for a server, done again in fewer steps."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any

from tornado import iostream
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer, _HTTPRequestContext
from tornado.httputil import HTTPHeaders, HTTPServerConnectionDelegate, ResponseStartLine
from tornado.log import gen_log

__all__ = ["Connection", "ServerConnection", "parse_headers", "serve"]

_NAMES = """
Accept Accept-Encoding Accept-Language Cache-Control Connection Content-Length Content-Type Dnt Host Origin Pragma
Priority Referer Sec-Ch-Ua Sec-Ch-Ua-Mobile Sec-Ch-Ua-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site
Sec-Fetch-User Upgrade-Insecure-Requests User-Agent X-Forwarded-Proto X-Requested-With
"""
_REPEATED = frozenset(_NAMES.split()) | frozenset(_NAMES.lower().split())
"""Headers that clients send with every request, and that are no secrets: their lines are remembered."""
_LONGEST = 256


def _parse_line(line: str) -> tuple[str, str] | None:
    headers = HTTPHeaders()
    headers.parse_line(line)
    return next(iter(headers.get_all()), None)


_remembered_line = lru_cache(2000)(_parse_line)


def parse_headers(text: str) -> HTTPHeaders:
    """`HTTPHeaders.parse`; lines that clients repeat are parsed once."""
    headers = HTTPHeaders()
    fields = headers._as_list
    for line in text.split("\n"):
        if not line or line == "\r":
            continue
        repeated = len(line) <= _LONGEST and line[: line.find(":")] in _REPEATED
        found = (_remembered_line if repeated else _parse_line)(line + "\n")
        if found is not None:
            name, value = found
            if name in fields:
                fields[name].append(value)
            else:
                fields[name] = [value]
    return headers


class Connection(HTTP1Connection):
    """One request and its response, which may be given in one call."""

    def write_response(self, start_line: ResponseStartLine, headers: HTTPHeaders, body: bytes) -> asyncio.Future[None]:
        """`write_headers` and `finish`."""
        stream: Any = self.stream
        data = self._whole(start_line, headers, body)
        if data is None:
            future = self.write_headers(start_line, headers, body)
            self.finish()
            return future
        self._response_start_line = start_line
        self._write_finished = True
        written = _written_at_once(stream, data)
        if written == len(data):
            self._finish_request(None)
            return _done()
        self._pending_write = pending = stream.write(data[written:])
        self._write_future = future = asyncio.get_running_loop().create_future()
        pending.add_done_callback(self._on_write_complete)
        pending.add_done_callback(self._finish_request)
        return future

    def _whole(self, start_line: ResponseStartLine, headers: HTTPHeaders, body: bytes) -> bytes | None:
        """The bytes of an ordinary response on a connection that stays open; None is left to Tornado."""
        request: Any = self._request_start_line
        stream: Any = self.stream
        fields = headers._as_list
        if (
            self._disconnect_on_finish
            or not self._read_finished
            or request.version != "HTTP/1.1"
            or stream is None
            or stream.closed()
            or (fields.get("Content-Length") != [str(len(body))] and request.method != "HEAD")
        ):
            return None
        lines = [f"HTTP/1.1 {start_line.code} {start_line.reason}"]
        try:
            for name, values in fields.items():
                for value in values:
                    lines.append(name + ": " + value)  # noqa: PERF401 - bytes raise TypeError here
            head = "\r\n".join(lines).encode("ascii")
        except (TypeError, UnicodeEncodeError):
            return None
        if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
            return None
        return b"%b\r\n\r\n%b" % (head, body)

    def _finish_request(self, future: asyncio.Future[None] | None) -> None:
        """As Tornado's, but Nagle's algorithm stays off from one response to the next."""
        self._clear_callbacks()
        if self._disconnect_on_finish:
            self.close()
        elif not self._finish_future.done():
            self._finish_future.set_result(None)

    def detach(self) -> iostream.IOStream:
        """Leaves the stream in its default state."""
        stream = super().detach()
        if not stream.closed():
            stream.set_nodelay(False)
        return stream

    def _parse_headers(self, data: bytes) -> tuple[str, HTTPHeaders]:
        text = data.decode("latin1").lstrip("\r\n")
        eol = text.find("\n")
        return text[:eol].rstrip("\r"), parse_headers(text[eol:])


class ServerConnection(HTTP1ServerConnection):
    """Makes a `Connection` for each request."""

    async def _server_request_loop(self, delegate: HTTPServerConnectionDelegate) -> None:
        try:
            self.stream.set_nodelay(True)
            while True:
                connection = Connection(self.stream, False, self.params, self.context)
                request = delegate.start_request(self, connection)
                try:
                    goes_on = await connection.read_response(request)
                except (iostream.StreamClosedError, iostream.UnsatisfiableReadError, asyncio.CancelledError):
                    return
                except Exception:  # noqa: BLE001 - logged, as Tornado does
                    gen_log.error("Uncaught exception", exc_info=True)
                    connection.close()
                    return
                if not goes_on:
                    return
                await asyncio.sleep(0)
        finally:
            delegate.on_close(self)


def serve(server: HTTPServer, stream: iostream.IOStream, address: tuple[Any, ...]) -> None:
    """`HTTPServer.handle_stream` with a `ServerConnection`."""
    context = _HTTPRequestContext(stream, address, server.protocol, server.trusted_downstream)
    connection = ServerConnection(stream, server.conn_params, context)
    server._connections.add(connection)
    connection.start_serving(server)


def _written_at_once(stream: iostream.IOStream, data: bytes) -> int:
    """How many bytes the socket took; 0 if something is before them, or if the stream must tell what happened."""
    if type(stream) is not iostream.IOStream or stream.writing():
        return 0
    try:
        return stream.write_to_fd(memoryview(data))
    except OSError:
        return 0


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future
