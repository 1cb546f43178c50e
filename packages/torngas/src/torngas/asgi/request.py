"""The request of a handler, made from an ASGI scope: what nobody asks for is not computed."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from tornado.httputil import HTTPInputError, HTTPServerRequest, RequestStartLine

from torngas.asgi.errors import UnsupportedError
from torngas.asgi.headers import RequestHeaders
from torngas.asgi.types import Scope

if TYPE_CHECKING:
    from torngas.asgi.connection import ASGIConnection

__all__ = ["ASGIRequest", "request_target"]

T = TypeVar("T")

_SAFE = "/~!$&'()*+,;=:@"


class _Lazy(Generic[T]):
    """An attribute that is computed at its first use; unlike functools.cached_property it takes no lock."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, request: Any, owner: type) -> T:
        value = request.__dict__[self._name] = self._make(request)
        return value


@lru_cache(1000)
def _checked_host(raw: bytes) -> tuple[str, str]:
    """The host, and its name without the port; checked once for each that is sent, by Tornado's own rules."""
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=RequestHeaders([(b"host", raw)]))
    return request.host, request.host_name


def request_target(scope: Scope) -> tuple[str, str]:
    """The request's uri and path as they were sent, percent-encoded, without the prefix of a mounted application."""
    raw: bytes | None = scope.get("raw_path")
    path = quote(scope["path"], safe=_SAFE) if raw is None else raw.decode("latin1")
    if "?" in path:  # which is none of it; some servers leave the query there
        path = path.partition("?")[0]
    if scope.get("root_path"):
        prefix = quote(scope["root_path"].rstrip("/"), safe=_SAFE)
        if path == prefix or path.startswith(prefix + "/"):
            path = path[len(prefix) :] or "/"
    query = scope["query_string"]
    return (f"{path}?{query.decode('latin1')}" if query else path), path


class ASGIRequest(HTTPServerRequest):
    """Tornado's HTTPServerRequest with the same attributes, most of them computed at their first use.

    Attributes:
        scope: What the server told about the request.
        root_path: The prefix below which the application is mounted; `path` and `uri` do not have it,
            `full_url()` has.

    Raises:
        HTTPInputError: `Host` is missing, malformed or sent twice, or the query has too many fields.
    """

    body = b""
    server_connection = None
    _finish_time = None

    def __init__(self, connection: ASGIConnection, path: str) -> None:
        scope = self.scope = connection.scope
        self.connection = connection
        self.method = connection.method
        self.version = connection.version
        self.path = path
        self.headers = connection.headers
        self._start_time = time.time()
        host = connection.host
        if host is not None:
            self.host, self.host_name = _checked_host(host)
        elif self.version == "HTTP/1.0":
            self.host = self.host_name = "127.0.0.1"
        else:
            raise HTTPInputError("Missing Host header")
        if b"&" in scope["query_string"]:
            self.arguments  # noqa: B018 - raises HTTPInputError where Tornado's limit of fields is passed

    @property
    def root_path(self) -> str:
        """The prefix below which the application is mounted; "" at the root."""
        return str(self.scope.get("root_path") or "").rstrip("/")

    @_Lazy
    def query(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # it is a str when read
        """The part of `uri` behind the question mark."""
        return str(self.scope["query_string"].decode("latin1"))

    @_Lazy
    def uri(self) -> str:
        """Path and query as they were sent."""
        return f"{self.path}?{self.query}" if self.scope["query_string"] else self.path

    @_Lazy
    def _parsed(self) -> HTTPServerRequest:
        """Tornado's own view of the query."""
        line = RequestStartLine("GET", f"?{self.query}", "HTTP/1.0")
        return HTTPServerRequest(start_line=line)

    @_Lazy
    def arguments(self) -> dict[str, list[bytes]]:
        """The arguments of the query and, once it is parsed, of the body."""
        return self._parsed.arguments if self.scope["query_string"] else {}

    @_Lazy
    def query_arguments(self) -> dict[str, list[bytes]]:
        """The arguments of the query alone."""
        return self._parsed.query_arguments if self.scope["query_string"] else {}

    @_Lazy
    def body_arguments(self) -> dict[str, list[bytes]]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The arguments of the body alone."""
        return {}

    @_Lazy
    def files(self) -> dict[str, Any]:
        """The uploaded files."""
        return {}

    @_Lazy
    def remote_ip(self) -> str:
        """The sender's address, by `Peer`."""
        return self.connection.context.remote_ip  # type: ignore[union-attr,no-any-return]

    @_Lazy
    def protocol(self) -> str:
        """`http` or `https`, by `Peer`."""
        return self.connection.context.protocol  # type: ignore[union-attr,no-any-return]

    def full_url(self) -> str:
        """The URL as the client sees it, the mounted prefix included."""
        return f"{self.protocol}://{self.host}{self.root_path}{self.uri}"

    def get_ssl_certificate(self, binary_form: bool = False) -> dict[str, Any] | bytes | None:
        """The client's certificate as the server's `tls` extension tells it; None if there is none.

        Args:
            binary_form: DER; the dictionary needs the socket, which no ASGI server gives.

        Raises:
            UnsupportedError: there is a certificate, and the dictionary was asked for.
        """
        tls = (self.scope.get("extensions") or {}).get("tls") or {}
        chain = tls.get("client_cert_chain") or ()
        for pem in chain:
            if not binary_form:
                raise UnsupportedError(
                    "get_ssl_certificate(): got a certificate, but an ASGI server gives no parsed form of it; "
                    "call get_ssl_certificate(binary_form=True)"
                )
            return ssl.PEM_cert_to_DER_cert(pem)
        return None

    def _parse_body(self) -> None:
        # Without a body and a content type there is nothing that Tornado would look at.
        if self.body or self.connection.has_content_type:  # type: ignore[union-attr]
            super()._parse_body()
