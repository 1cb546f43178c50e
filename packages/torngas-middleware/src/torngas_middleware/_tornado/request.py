"""What `tornado.httputil.HTTPServerRequest` does to begin, done again in fewer steps."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from tornado import httputil
from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine

__all__ = ["HTTPServerRequest"]

_LONGEST = 256


@lru_cache(1000)
def _host_name(host: str) -> str:
    """The name without the port, by Tornado's own rules, which raise HTTPInputError for what is no host."""
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    return httputil.HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host})).host_name


class HTTPServerRequest(httputil.HTTPServerRequest):
    """Tornado's request; one without a query does not parse it, and a host is checked once."""

    def __init__(
        self, start_line: RequestStartLine, headers: HTTPHeaders, connection: HTTPConnection, server_connection: Any
    ) -> None:
        hosts = headers.get_list("Host")
        if "?" in start_line.path or len(hosts) != 1 or len(hosts[0]) > _LONGEST:
            super().__init__(
                start_line=start_line, headers=headers, connection=connection, server_connection=server_connection
            )
            return
        self.host = hosts[0]
        self.host_name = _host_name(self.host)
        self.method, self.uri, self.version = start_line
        self.headers = headers
        self.body = b""
        context: Any = getattr(connection, "context", None)
        self.remote_ip = getattr(context, "remote_ip", None)
        self.protocol = getattr(context, "protocol", "http")
        self.files = {}
        self.connection = connection
        self.server_connection = server_connection
        self._start_time = time.time()
        self._finish_time = None
        self.path, self.query = start_line.path, ""
        self.arguments, self.query_arguments, self.body_arguments = {}, {}, {}
