"""The application on a free port of this machine's loopback, served by an event loop; and requests to it."""

from __future__ import annotations

from typing import Any

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient
from tornado.testing import bind_unused_port
from tornado.web import Application

from torngas.testing.requests import Prepared

__all__ = ["Transport"]


class Transport:
    """A server of one application in the loop that runs when it is made.

    Args:
        application: What to serve.
        protocol: What handlers see in `request.protocol`; nothing is encrypted.
        timeout: Seconds until a request is given up.
    """

    def __init__(self, application: Application, protocol: str, timeout: float) -> None:
        self._application = application
        self._timeout = timeout
        self._http = SimpleAsyncHTTPClient(force_instance=True, max_body_size=2**30)
        self._listening, self._port = bind_unused_port()
        self._server = HTTPServer(application, protocol=protocol)
        self._server.add_sockets([self._listening])

    async def fetch(self, request: Prepared, headers: HTTPHeaders) -> HTTPResponse:
        """Answers when the response is complete and everything that runs after it has run.

        Raises:
            TimeoutError: there is no response in time.
        """
        try:
            response = await self._http.fetch(self._http_request(request, headers), raise_error=False)
        except HTTPTimeoutError as error:
            raise TimeoutError(
                f"Client: got no answer to {request.method} {request.path} within {self._timeout} s; look for what the "
                "handler waits for, or give Client(…, timeout=) more seconds"
            ) from error
        await self._settle()
        return response

    def websocket_request(self, path: str, headers: HTTPHeaders) -> HTTPRequest:
        """What `tornado.websocket.websocket_connect` wants."""
        url = f"ws://127.0.0.1:{self._port}{path}"
        return HTTPRequest(url, headers=headers, connect_timeout=self._timeout, request_timeout=self._timeout)

    async def aclose(self) -> None:
        """Stops the server and closes its connections."""
        self._server.stop()
        await self._server.close_all_connections()
        self._http.close()

    def abandon(self) -> None:
        """Lets go of the port, where the loop is closed and nothing else can be done."""
        self._listening.close()

    def _http_request(self, request: Prepared, headers: HTTPHeaders) -> HTTPRequest:
        return HTTPRequest(
            f"http://127.0.0.1:{self._port}{request.path}",
            method=request.method,
            headers=headers,
            body=request.body,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            connect_timeout=self._timeout,
            request_timeout=self._timeout,
        )

    async def _settle(self) -> None:
        """Waits for process_endcall and its like, which run when the response was sent."""
        drain: Any = getattr(self._application, "drain", None)
        if drain is not None:
            await drain()
