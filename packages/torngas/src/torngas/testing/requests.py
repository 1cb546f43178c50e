"""From what a test says to what is sent: query, body, content type. Does no I/O."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tornado.httputil import HTTPHeaders

from torngas.exception import ArgumentError

__all__ = ["Prepared", "prepared", "redirected"]

_SAFE = ("GET", "HEAD", "OPTIONS")
_REDIRECTS = (301, 302, 303, 307, 308)

File = tuple[str, bytes] | tuple[str, bytes, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request, ready to be sent."""

    method: str
    path: str
    body: bytes | None = None
    headers: HTTPHeaders = field(default_factory=HTTPHeaders)

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing, so that no XSRF token is needed (RFC 9110 §9.2.1)."""
        return self.method in _SAFE


def prepared(
    method: str,
    path: str,
    *,
    query: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | str | bytes | None = None,
    json_body: Any = None,
    files: Mapping[str, File] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Prepared:
    """Makes the request.

    Raises:
        ArgumentError: the path does not begin with a slash, or there is more than one body.
    """
    if not path.startswith("/"):
        raise ArgumentError(f"Client: got the path {path!r}; expected one from the root, e.g. '/posts?page=2'")
    if json_body is not None and (data is not None or files):
        raise ArgumentError("Client: got json and data or files; expected one body")
    kind, body = _body(data, json_body, files)
    sent = HTTPHeaders({"Content-Type": kind} if kind else {})
    for name, value in (headers or {}).items():
        sent[name] = value
    if query:
        path += ("&" if "?" in path else "?") + urlencode(query, doseq=True)
    method = method.upper()
    return Prepared(method, path, b"" if body is None and method in ("POST", "PUT", "PATCH") else body, sent)


def _body(data: Any, json_body: Any, files: Mapping[str, File] | None) -> tuple[str, bytes | None]:
    if json_body is not None:
        return "application/json", json.dumps(json_body).encode()
    if files:
        return _multipart(data or {}, files)
    if isinstance(data, Mapping):
        return "application/x-www-form-urlencoded", urlencode(data, doseq=True).encode()
    if isinstance(data, str):
        return "text/plain; charset=UTF-8", data.encode()
    return "", data


def _multipart(fields: Mapping[str, Any], files: Mapping[str, File]) -> tuple[str, bytes]:
    boundary = secrets.token_hex(16)
    parts = [_part(f'name="{name}"', "", str(one).encode()) for name, value in fields.items() for one in _each(value)]
    for name, (filename, content, *kind) in files.items():
        disposition = f'name="{name}"; filename="{filename}"'
        parts.append(
            _part(disposition, f"Content-Type: {kind[0] if kind else 'application/octet-stream'}\r\n", content)
        )
    edge = f"--{boundary}".encode()
    body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"
    return f"multipart/form-data; boundary={boundary}", body


def _each(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _part(disposition: str, headers: str, content: bytes) -> bytes:
    return f"Content-Disposition: form-data; {disposition}\r\n{headers}\r\n".encode() + content


def redirected(sent: Prepared, status: int, location: str | None, host: str) -> Prepared | None:
    """The request that a redirect asks for (RFC 9110 §15.4); None if it is none, or leads to another host."""
    if status not in _REDIRECTS or location is None:
        return None
    target = urlsplit(location)
    if target.netloc and target.netloc.lower() != host.lower():
        return None
    joined = urlsplit(urljoin(f"http://{host}{sent.path}", location))
    path = (joined.path or "/") + (f"?{joined.query}" if joined.query else "")
    if status in (307, 308):
        return Prepared(sent.method, path, sent.body, sent.headers)
    headers = sent.headers.copy()
    headers.pop("Content-Type", None)
    return Prepared("HEAD" if sent.method == "HEAD" else "GET", path, None, headers)
