"""The configuration of a session: one frozen object that cannot exist with unsafe values.

SessionConfig(secret_key="…", expires=3600)
SessionConfig.from_mapping({"session_name": "sid", "secret_key": "…", "expires": 0})
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast

from .errors import ConfigurationError, ConfigurationTypeError
from .protocols import Serializer

__all__ = ["SessionConfig"]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ATTRIBUTE = re.compile(r"[^\x00-\x20;\x7f]*")
_BOOLEANS = ("httponly", "partitioned", "ignore_change_ip", "rolling")
_CHOICES = {"conflict": ("merge", "last", "raise"), "on_read_error": ("raise", "anonymous")}
_SERIALIZERS = ("json", "msgpack", "pickle")
_ELSEWHERE = frozenset({"session_cache_alias"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """Every option of a session; checked when it is made.

    Attributes:
        secret_key: Signs the cookie. Make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"`.
        fallback_keys: Former keys that still verify; they never sign. Keep one for as long as its sessions live.
        session_name: Name of the cookie. `__Host-` and `__Secure-` in front are checked against the other options
            (RFC 6265bis §4.1.3).
        session_version: Changing it ends every session at once.
        cookie_domain: Domain of the cookie; None or "" is the host that answers, and no other.
        cookie_path: Path of the cookie.
        expires: Seconds from the last save until the session ends. 0 makes a cookie that goes with the browser and
            keeps the record for a day of silence; None never ends. Negative is refused.
        httponly: Hides the cookie from scripts.
        secure: Sends the cookie over HTTPS only. None: as the request came, so yes under HTTPS.
        samesite: "Lax", "Strict" or "None" (which needs `secure=True`); None leaves the attribute out.
        partitioned: Separate cookie jar per top-level site (CHIPS); needs `secure=True`.
        ignore_change_ip: False ends a session whose address changes (IPv6: whose /64 changes).
        idle_timeout: Seconds without use after which the server ends the session; None never. Kept to 1 % and at
            most a minute (OWASP ASVS 5.0 V7.3.1).
        absolute_timeout: Seconds after login, or after the beginning, whatever happens; None never (V7.3.2).
        rolling: True renews record and cookie with every response that used the session.
        serializer: "json", "msgpack", "pickle", or an object with `dumps` and `loads`.
        conflict: Two requests saved the same session: "merge" key by key, "last" keeps the later record whole,
            "raise" raises `SessionConflictError`. A session that was ended stays ended with each.
        on_read_error: The store cannot be read: "raise" `StoreError`, or go on "anonymous"; a save then fails.
        preload: True reads the record before the handler's method runs, False on demand; None: where the store
            does I/O.
        key_prefix: Before the id in the store's keys.
    """

    secret_key: str | bytes = field(repr=False)
    fallback_keys: Sequence[str | bytes] = field(default=(), repr=False)
    session_name: str = "__TORNADOSSID"
    session_version: str = ""
    cookie_domain: str | None = None
    cookie_path: str = "/"
    expires: float | None = 0
    httponly: bool = True
    secure: bool | None = None
    samesite: str | None = "Lax"
    partitioned: bool = False
    ignore_change_ip: bool = False
    idle_timeout: float | None = None
    absolute_timeout: float | None = None
    rolling: bool = False
    serializer: str | Serializer = "json"
    conflict: Literal["merge", "last", "raise"] = "merge"
    on_read_error: Literal["raise", "anonymous"] = "raise"
    preload: bool | None = None
    key_prefix: str = "session:"

    def __post_init__(self) -> None:
        self._check_keys()
        self._check_types()
        self._check_timeouts()
        self._normalize()
        self._check_cookie()
        self._check_prefix()

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any]) -> SessionConfig:
        """Makes the configuration from a mapping, such as a `SESSION` setting.

        `session_cache_alias` is left to whoever chooses the store.

        Raises:
            ConfigurationError: An unknown option (the nearest known one is named), or an invalid value.
        """
        known = {option.name for option in fields(cls)}
        for name in options:
            if name not in known and name not in _ELSEWHERE:
                near = difflib.get_close_matches(str(name), known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"expected some of {', '.join(sorted(known))}"
                raise ConfigurationError(f"SessionConfig: got the unknown option {name!r}; {hint}")
        if "secret_key" not in options:
            raise ConfigurationError(f"SessionConfig: got no secret_key; expected a key. {_MAKE_KEY}")
        return cls(**cast("Any", {name: value for name, value in options.items() if name in known}))

    @property
    def keys(self) -> tuple[str | bytes, ...]:
        """The signing key, then those that only verify."""
        return (self.secret_key, *self.fallback_keys)

    def _check_keys(self) -> None:
        if isinstance(self.fallback_keys, str | bytes) or not isinstance(self.fallback_keys, Sequence):
            kind = type(self.fallback_keys).__name__
            raise ConfigurationTypeError(
                f"SessionConfig.fallback_keys: got a {kind}; expected a list of keys, e.g. ['former key']"
            )
        for key in (self.secret_key, *self.fallback_keys):
            if not isinstance(key, str | bytes):
                raise ConfigurationTypeError(
                    f"SessionConfig: got a key of type {type(key).__name__}; expected str or bytes. "
                    "Former keys go into fallback_keys"
                )
            if not key:
                raise ConfigurationError(f"SessionConfig: got an empty key; expected a secret one. {_MAKE_KEY}")
        object.__setattr__(self, "fallback_keys", tuple(self.fallback_keys))

    def _check_types(self) -> None:
        for name in _BOOLEANS:
            if not isinstance(getattr(self, name), bool):
                raise ConfigurationTypeError(
                    f"SessionConfig.{name}: got {getattr(self, name)!r}; expected True or False"
                )
        for name in ("secure", "preload"):
            if getattr(self, name) not in (True, False, None):
                raise ConfigurationTypeError(
                    f"SessionConfig.{name}: got {getattr(self, name)!r}; expected True, False or None"
                )
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigurationError(
                    f"SessionConfig.{name}: got {getattr(self, name)!r}; expected one of {', '.join(choices)}"
                )
        named = self.serializer
        if named not in _SERIALIZERS if isinstance(named, str) else not isinstance(named, Serializer):
            raise ConfigurationError(
                f"SessionConfig.serializer: got {named!r}; expected one of {', '.join(_SERIALIZERS)}, "
                "or an object with dumps and loads"
            )

    def _check_timeouts(self) -> None:
        for name in ("expires", "idle_timeout", "absolute_timeout"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ConfigurationTypeError(f"SessionConfig.{name}: got {value!r}; expected seconds, or None")
            if not (value >= 0 if name == "expires" else value > 0):
                raise ConfigurationError(
                    f"SessionConfig.{name}: got {value!r}; expected "
                    + ("0 (until the browser closes) or more seconds" if name == "expires" else "more than 0 seconds")
                )

    def _normalize(self) -> None:
        object.__setattr__(self, "cookie_domain", self.cookie_domain or None)
        object.__setattr__(self, "session_version", str(self.session_version))
        if isinstance(self.samesite, str):
            object.__setattr__(self, "samesite", self.samesite.capitalize())

    def _check_cookie(self) -> None:
        name: object = self.session_name
        path: object = self.cookie_path
        if not (isinstance(name, str) and _TOKEN.fullmatch(name)):
            raise ConfigurationError(
                f"SessionConfig.session_name: got {self.session_name!r}; expected letters, digits and !#$%&'*+-.^_`|~ "
                "(RFC 6265 §4.1.1)"
            )
        if not (isinstance(path, str) and path.startswith("/")):
            raise ConfigurationError(f"SessionConfig.cookie_path: got {self.cookie_path!r}; expected '/' or '/below'")
        for option in ("cookie_path", "cookie_domain"):
            if not _ATTRIBUTE.fullmatch(getattr(self, option) or ""):
                raise ConfigurationError(
                    f"SessionConfig.{option}: got {getattr(self, option)!r}; expected no blank, ';' or control code"
                )
        if self.samesite not in ("Lax", "Strict", "None", None):
            raise ConfigurationError(
                f"SessionConfig.samesite: got {self.samesite!r}; expected 'Lax', 'Strict', 'None', or None for none"
            )
        if self.samesite == "None":
            self._need_secure("samesite='None'")
        if self.partitioned:
            self._need_secure("partitioned=True")

    def _check_prefix(self) -> None:
        name = self.session_name.lower()  # user agents compare without case (RFC 6265bis §5.7)
        if name.startswith(("__host-", "__secure-")):
            self._need_secure(f"the name {self.session_name!r}")
        if name.startswith("__host-") and (self.cookie_path != "/" or self.cookie_domain):
            raise ConfigurationError(
                f"SessionConfig: got the name {self.session_name!r} with cookie_path={self.cookie_path!r}, "
                f"cookie_domain={self.cookie_domain!r}; expected the path '/' and no domain (RFC 6265bis §4.1.3.2)"
            )

    def _need_secure(self, what: str) -> None:
        if self.secure is not True:
            raise ConfigurationError(
                f"SessionConfig: got {what} with secure={self.secure!r}; expected secure=True, "
                "browsers refuse the cookie otherwise (RFC 6265bis §5.7)"
            )


_MAKE_KEY = 'Make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'
