"""The cookies of a client, kept and sent as a browser does (RFC 6265 §5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, SimpleCookie

__all__ = ["Cookies"]


@dataclass(frozen=True, slots=True)
class _Cookie:
    name: str
    value: str
    path: str
    secure: bool
    ends: float | None


class Cookies(MutableMapping[str, str]):
    """A mapping from names to values; also what the application set, with path, lifetime and `Secure`.

    Args:
        host: Cookies of other domains are refused.
        secure: Whether the client speaks HTTPS; else cookies with `Secure` are kept and not sent.
        clock: Seconds since the epoch.
    """

    def __init__(self, host: str, *, secure: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._host = host.partition(":")[0].lower()
        self._secure = secure
        self._clock = clock
        self._kept: dict[tuple[str, str], _Cookie] = {}

    def __getitem__(self, name: str) -> str:
        found = [cookie for cookie in self._living() if cookie.name == name]
        if not found:
            raise KeyError(name)
        return found[0].value

    def __setitem__(self, name: str, value: str) -> None:
        self._kept[name, "/"] = _Cookie(name, value, "/", False, None)

    def __delitem__(self, name: str) -> None:
        found = [key for key in self._kept if key[0] == name]
        if not found:
            raise KeyError(name)
        for key in found:
            del self._kept[key]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self._living()))

    def __len__(self) -> int:
        return len({cookie.name for cookie in self._living()})

    def __repr__(self) -> str:
        """No value: a session's is a secret."""
        return f"<Cookies {', '.join(self) or 'none'}>"

    def header(self, path: str) -> str:
        """The Cookie header for a path; empty if there is nothing to send."""
        path = path.partition("?")[0] or "/"
        sent = [
            cookie
            for cookie in self._living()
            if _path_matches(path, cookie.path) and (self._secure or not cookie.secure)
        ]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in sent)

    def take(self, header: str, path: str) -> None:
        """Reads one Set-Cookie header of a response to `path`; what is no cookie is ignored."""
        try:
            parsed = SimpleCookie(header)
        except CookieError:
            return
        for name, morsel in parsed.items():
            domain = morsel["domain"].lstrip(".").lower()
            if domain and self._host != domain and not self._host.endswith(f".{domain}"):
                continue
            own = morsel["path"] if morsel["path"].startswith("/") else _default_path(path)
            self._keep(
                _Cookie(
                    name,
                    morsel.coded_value,
                    own,
                    bool(morsel["secure"]),
                    self._end(morsel["max-age"], morsel["expires"]),
                )
            )

    def _keep(self, cookie: _Cookie) -> None:
        if cookie.ends is not None and cookie.ends <= self._clock():
            self._kept.pop((cookie.name, cookie.path), None)
        else:
            self._kept[cookie.name, cookie.path] = cookie

    def _end(self, max_age: str, expires: str) -> float | None:
        if max_age:
            return self._clock() + int(max_age) if max_age.lstrip("-").isdecimal() else None
        if expires:
            try:
                return parsedate_to_datetime(expires).timestamp()
            except ValueError:
                return None
        return None

    def _living(self) -> list[_Cookie]:
        """Longer paths first (RFC 6265 §5.4)."""
        now = self._clock()
        living = [cookie for cookie in self._kept.values() if cookie.ends is None or cookie.ends > now]
        return sorted(living, key=lambda cookie: -len(cookie.path))


def _path_matches(path: str, cookie_path: str) -> bool:
    return path == cookie_path or (
        path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")
    )


def _default_path(path: str) -> str:
    """RFC 6265 §5.1.4."""
    return path.partition("?")[0].rpartition("/")[0] or "/"
