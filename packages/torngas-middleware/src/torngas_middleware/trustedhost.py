"""Refusing requests that name a foreign host.

Application(handlers, middlewares=[TrustedHostMiddleware(["example.com", "*.example.com"])])
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from .protocols import Clear

__all__ = ["TrustedHostMiddleware"]

_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:/@\s]+)(?::\d+)?")


class TrustedHostMiddleware:
    """Answers 400 unless the `Host` header names one of the hosts; without the header too.

    Links, redirects and password mails built from the host can then not be led elsewhere. The port does not matter, nor
    does case or a final dot. `X-Forwarded-Host` is not looked at.

    Args:
        hosts: Names or addresses (`example.com`, `127.0.0.1`, `[::1]`); `*.example.com` means every name below it and
            not itself; `*` means all.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        names = [hosts] if isinstance(hosts, str) else list(hosts)
        for name in names:
            if name != "*" and ("*" in name.removeprefix("*.") or not _HOST.fullmatch(name.removeprefix("*."))):
                raise ValueError(f"TrustedHostMiddleware: got {name!r}; expected e.g. 'example.com' or '*.example.com'")
        self._all = "*" in names
        self._exact = frozenset(_normal(name) for name in names if not name.startswith("*"))
        self._below = tuple(_normal(name[1:]) for name in names if name.startswith("*."))

    def process_call(self, request: HTTPServerRequest, clear: Clear) -> None:
        """Raises HTTPError(400) for a host that is not listed."""
        sent = request.headers.get("Host", "")
        if self._all or self._trusts(sent):
            return
        raise HTTPError(400, "Host %r is not trusted", sent)

    def _trusts(self, sent: str) -> bool:
        found = _HOST.fullmatch(sent)
        if not found:
            return False
        host = _normal(found[1])
        return host in self._exact or any(len(host) > len(end) and host.endswith(end) for end in self._below)


def _normal(host: str) -> str:
    return re.sub(r":\d+$", "", host.lower()).removesuffix(".")
