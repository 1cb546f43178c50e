"""The visitor's session, read and changed from outside of any request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application

from torngas.testing.cookies import Cookies
from torngas.testing.errors import NoSessionManagerError
from torngas_session import Session, SessionAccessMixin

__all__ = ["SessionEditor"]


class _Connection:
    """Stands where a request's connection stands; nothing is sent."""

    def __init__(self, protocol: str) -> None:
        self.context = self
        self.remote_ip = "127.0.0.1"  # as of the client's requests: a session belongs to an address
        self.protocol = protocol

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Never closed."""


class _Visitor(SessionAccessMixin):
    """A handler without a response: the cookies that it sets go to the client."""

    jar: Cookies

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **attributes: Any) -> None:
        super().set_cookie(name, value, *args, **attributes)
        self.jar.take(self._cookie(name), "/")

    def clear_cookie(self, name: str, **attributes: Any) -> None:
        super().clear_cookie(name, **attributes)
        self.jar.take(self._cookie(name), "/")

    def _cookie(self, name: str) -> str:
        text: str = self._new_cookie[name].OutputString()
        return text


class SessionEditor:
    """A block around the session: it is loaded at the beginning, and what changed is saved at the end.

    Args:
        application: Has a session manager.
        cookies: Hold the session's.
        run: Runs a coroutine, for the plain block.
        host: Of the client.
        protocol: Of the client.
    """

    def __init__(
        self, application: Application, cookies: Cookies, run: Callable[[Any], Any], host: str, protocol: str
    ) -> None:
        if application.settings.get("session_manager") is None:
            raise NoSessionManagerError(
                "Client: got an application without sessions; expected SessionMiddleware among its middlewares, or "
                "Application(…, session_manager=…)"
            )
        self._run = run
        headers = HTTPHeaders({"Host": host, "Cookie": cookies.header("/")})
        request = HTTPServerRequest(
            connection=_Connection(protocol),  # type: ignore[arg-type]  # what a request asks of it, it has
            start_line=RequestStartLine("GET", "/", "HTTP/1.1"),
            headers=headers,
        )
        self._visitor = _Visitor(application, request)
        self._visitor.jar = cookies

    def __enter__(self) -> Session:
        session: Session = self._run(self.__aenter__())
        return session

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._run(self.__aexit__(kind, *rest))

    async def __aenter__(self) -> Session:
        return await self._visitor.session.aload()

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            await self._visitor.session.asave()
