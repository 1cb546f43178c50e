"""A browser without a screen: it keeps cookies, follows redirects, sends XSRF tokens, and logs in.

    with Client(application) as client:
        client.login("ada")
        page = client.post("/posts", data={"title": "Hello"})
        assert page.status_code == 200 and page.history[0].status_code == 302

    async with Client(application) as client:
        page = await client.aget("/posts")

The application is served on a free loopback port, over real connections; nothing about it is replaced. Plain methods
run an event loop of the client's own, which stands still between the calls; those that begin with `a` use the
running one. What the application sets is seen by both.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar

from tornado.httpclient import HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.web import Application

from torngas.testing.cookies import Cookies
from torngas.testing.errors import TestingError, TooManyRedirectsError
from torngas.testing.requests import Prepared, prepared, redirected
from torngas.testing.response import Response
from torngas.testing.sessions import SessionEditor
from torngas.testing.transport import Transport
from torngas.testing.verbs import Verbs
from torngas.testing.websocket import WebSocket
from torngas_session import login

__all__ = ["Client"]

T = TypeVar("T")
_MOST_REDIRECTS = 20


class Client(Verbs):
    """Speaks to one application; close it, or use it in a `with` or `async with` block.

    Args:
        application: Any `tornado.web.Application`.
        headers: Sent with every request.
        host: The Host header; redirects to another one are not followed.
        protocol: "https" makes `request.protocol` so, and sends cookies marked `Secure`; nothing is encrypted.
        follow_redirects: Whether requests do, unless they say otherwise.
        xsrf: Send the token that `xsrf_cookies` asks for with every request that changes something. False sends none,
            for tests of the refusal.
        timeout: Seconds until a request, or a wait for a message, is given up.
        close_application: Also run the application's clean-ups (`aclose`) when the client is closed.

    Attributes:
        cookies: A mapping from names to values.

    A client belongs to the thread that made it.
    """

    def __init__(
        self,
        application: Application,
        *,
        headers: Mapping[str, str] | None = None,
        host: str = "localhost",
        protocol: str = "http",
        follow_redirects: bool = True,
        xsrf: bool = True,
        timeout: float = 10,
        close_application: bool = False,
    ) -> None:
        self.application = application
        self.cookies = Cookies(host, secure=protocol == "https")
        self._headers = dict(headers or {})
        self._host, self._protocol = host, protocol
        self._follows, self._xsrf, self._timeout = follow_redirects, xsrf, timeout
        self._closes_application = close_application
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transports: dict[asyncio.AbstractEventLoop, Transport] = {}

    # requests

    def request(self, method: str, path: str, **options: Any) -> Response:
        """Sends a request of any method; the options are those of `arequest`."""
        return self.run(self.arequest(method, path, **options))

    async def arequest(
        self, method: str, path: str, *, follow_redirects: bool | None = None, json: Any = None, **options: Any
    ) -> Response:
        """Sends a request, in the running loop.

        Args:
            method: In either case.
            path: From the root, e.g. `/posts?page=2`.
            follow_redirects: None does what the client was told.
            json: A body, sent as JSON.
            **options: `data`, a form (a mapping), text or bytes; `files`, from field names to
                `(filename, bytes)` or `(filename, bytes, content type)`; `query` and `headers`, mappings.

        Raises:
            ArgumentError: the path is none, or there are two bodies.
            TooManyRedirectsError: more than 20 redirects.
        """
        sent = prepared(method, path, json_body=json, **options)
        follows = self._follows if follow_redirects is None else follow_redirects
        history: list[Response] = []
        while True:
            response = self._taken(sent, await self._transport().fetch(sent, self._headers_of(sent)), history)
            following = redirected(sent, response.status_code, response.location, self._host) if follows else None
            if following is None:
                return response
            if len(history) == _MOST_REDIRECTS:
                raise TooManyRedirectsError(f"Client: got more than {_MOST_REDIRECTS} redirects; the last: {response}")
            history.append(response)
            sent = following

    # sessions

    def session(self) -> SessionEditor:
        """The visitor's session in a `with` (or `async with`) block; what is changed there is saved at its end.

        Raises:
            NoSessionManagerError: the application has no SessionMiddleware.
        """
        return SessionEditor(self.application, self.cookies, self.run, self._host, self._protocol)

    def login(self, user: str | int) -> None:
        """Logs in, as `torngas_session.login` does, without a request: `session.user` is this one from now on."""
        self.run(self.alogin(user))

    async def alogin(self, user: str | int) -> None:
        """`login`, in the running loop."""
        async with self.session() as session:
            login(SimpleNamespace(session=session), user)

    def logout(self) -> None:
        """Ends the session; the cookie goes with it."""
        self.run(self.alogout())

    async def alogout(self) -> None:
        """`logout`, in the running loop."""
        async with self.session() as session:
            session.flush()

    # WebSockets

    def websocket(
        self, path: str, *, headers: Mapping[str, str] | None = None, subprotocols: list[str] | None = None
    ) -> WebSocket:
        """A WebSocket to the application, with the cookies; opened by its `with` (or `async with`) block.

        Raises:
            HandshakeError: in the block's beginning, if the application refuses.
        """
        sent = prepared("GET", path, headers=headers)

        def request() -> Any:
            return self._transport().websocket_request(sent.path, self._headers_of(sent))

        return WebSocket(request, self.run, subprotocols, self._timeout)

    # life

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the loop of the plain methods, which serves the application meanwhile.

        Raises:
            TestingError: an event loop is running.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            work.close()
            raise TestingError(
                "Client: got a plain call while an event loop is running; expected the method with an a in front, e.g. "
                "`await client.aget('/')`"
            )
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        """Stops serving; idempotent."""
        self.run(self.aclose())
        for loop, transport in self._transports.items():
            if loop.is_closed():
                transport.abandon()
            else:
                loop.run_until_complete(transport.aclose())
        self._transports.clear()
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
            self._loop = None

    async def aclose(self) -> None:
        """Stops serving in the running loop; idempotent."""
        transport = self._transports.pop(asyncio.get_running_loop(), None)
        if transport is not None:
            await transport.aclose()
        cleanup: Any = getattr(self.application, "aclose", None)
        if self._closes_application and cleanup is not None:
            await cleanup()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # inside

    def _transport(self) -> Transport:
        loop = asyncio.get_running_loop()
        found = self._transports.get(loop)
        if found is None:
            found = self._transports[loop] = Transport(self.application, self._protocol, self._timeout)
        return found

    def _headers_of(self, sent: Prepared) -> HTTPHeaders:
        headers = HTTPHeaders({"Host": self._host, **self._headers})
        if self._xsrf and not sent.is_safe and self.application.settings.get("xsrf_cookies"):
            headers["X-Xsrftoken"] = self._xsrf_token()
        if cookie := self.cookies.header(sent.path):
            headers["Cookie"] = cookie
        for name, value in sent.headers.get_all():
            headers[name] = value
        return headers

    def _xsrf_token(self) -> str:
        """The token in the cookie. Tornado compares the two and keeps none, so that a client may choose it."""
        name = self.application.settings.get("xsrf_cookie_name", "_xsrf")
        if name not in self.cookies:
            self.cookies[name] = secrets.token_hex(16)
        return self.cookies[name]

    def _taken(self, sent: Prepared, got: HTTPResponse, history: list[Response]) -> Response:
        for header in got.headers.get_list("Set-Cookie"):
            self.cookies.take(header, sent.path)
        return Response(got.code, got.reason or "", got.headers, got.body, sent.path, tuple(history))
