"""A module for pages that need a user, and where to go after the login.

    ROUTE_MODULES = {"^/account/": ["torngas_httpmodule.modules.LoginRequiredModule"]}

In the login handler: `self.redirect(safe_next(self.get_argument("next", "")))`.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from tornado.web import HTTPError, RequestHandler

from ..base import BaseHttpModule, Clear

__all__ = ["LoginRequiredModule", "safe_next"]

# Browsers drop tabs and line ends inside of addresses and read a backslash as a slash.
_DANGEROUS = re.compile(r"[\x00-\x20\\\x7f]")


def safe_next(address: str, default: str = "/") -> str:
    """Answers an address of this host, the default for everything else.

    `//host`, `/\\host`, `http:host`, encoded slashes at the beginning and control characters would lead a browser to
    another host; all of them give the default.
    """
    if not address.startswith("/") or _DANGEROUS.search(address):
        return default
    decoded = address[:16].lower().replace("%2f", "/").replace("%5c", "/").replace("%09", "").replace("%0a", "")
    parts = urlsplit(address)
    return default if decoded.replace("%0d", "").startswith("//") or parts.scheme or parts.netloc else address


class LoginRequiredModule(BaseHttpModule):
    """Sends visitors without `handler.current_user` to the login, and lets nobody else's request through.

    Args:
        login_url: Where the login is; None takes the handler's `get_login_url` (the setting `login_url`).

    GET and HEAD are redirected with `next`, the address on this host that was wanted; other methods get 403.
    """

    def __init__(self, login_url: str | None = None) -> None:
        self._login_url = login_url

    def begin_request(self, handler: RequestHandler, clear: Clear) -> bool:
        """Redirects, or refuses."""
        if handler.current_user:
            return False
        if handler.request.method not in ("GET", "HEAD"):
            raise HTTPError(403, "a login is required")
        url = self._login_url or handler.get_login_url()
        wanted = urlencode({"next": safe_next(handler.request.uri or "/")})
        handler.redirect(f"{url}{'&' if '?' in url else '?'}{wanted}")
        return True
