"""What LOCATION and OPTIONS say about redis, checked once and in one place; no I/O, no driver is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from torngas_cache.errors import CacheConfigError

__all__ = ["Address", "RedisOptions"]

DEFAULT_DB = 1
"""The database of a location that names none, as documented; a URL without a path means 0, as URLs do."""
DEFAULT_PORT = 6379
SOCKET_SECONDS = 2.0
URL_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one server listens: a URL, a socket's path, or a host and a port."""

    url: str = ""
    path: str = ""
    host: str = ""
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, location: object) -> Address:
        """Reads one location.

        Raises:
            CacheConfigError: it is none; the message shows the accepted forms.
        """
        text = str(location).strip()
        scheme, separator, _ = text.partition("://")
        if separator and scheme in URL_SCHEMES:
            return cls._of_url(text)
        if text.startswith(("/", "unix:/")):
            return cls(path=text.removeprefix("unix:"))
        host, _, port = text.rpartition(":")
        if separator or not host or not port.isdecimal():
            problem = "unknown scheme" if separator else "no port"
            raise CacheConfigError(
                f"RedisCache LOCATION: got {_without_password(text)!r} ({problem}); expected 'host:port', a socket's "
                "path or a redis://, rediss:// or unix:// URL, e.g. '127.0.0.1:6379'."
            )
        return cls(host=host.strip("[]"), port=int(port))

    @classmethod
    def _of_url(cls, text: str) -> Address:
        parts = urlsplit(text)
        try:
            return cls(url=text, host=parts.hostname or "localhost", port=parts.port or DEFAULT_PORT)
        except ValueError as error:
            raise CacheConfigError(f"RedisCache LOCATION: got {_without_password(text)!r} ({error}).") from error

    @property
    def name(self) -> str:
        """For messages and logs; never holds a password."""
        return self.path or _without_password(self.url) or f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """The connection's side of a redis alias.

    Args:
        addresses: The servers: the first takes writes, the others are its replicas and take reads; the nodes to
            ask first of a cluster; the sentinels, where `service` is given.
        db: Database number; None: the address decides.
        password, username: Where the server asks for them.
        parser_class, pool_class: Classes of redis-py or dotted paths; None: redis-py's defaults.
        pool_kwargs: For the pool and its connections, as redis-py names them; these win over everything else.
        ping_interval: Seconds; a connection idle for longer is pinged before it is used. 0: never.
        cluster: Whether the addresses are nodes of a cluster.
        service: The name that the sentinels watch; empty: the addresses are no sentinels.
        sentinel_kwargs: For the connections to the sentinels themselves.
        read_replicas: Whether a cluster's or a sentinel's replicas take reads.
    """

    addresses: tuple[Address, ...]
    db: int | None = None
    password: str | None = None
    username: str | None = None
    parser_class: Any = None
    pool_class: Any = None
    pool_kwargs: Mapping[str, Any] = field(default_factory=dict)
    ping_interval: float = 0
    cluster: bool = False
    service: str = ""
    sentinel_kwargs: Mapping[str, Any] = field(default_factory=dict)
    read_replicas: bool = False

    def __post_init__(self) -> None:
        if not self.addresses:
            raise CacheConfigError("RedisCache LOCATION: got nothing; expected at least one 'host:port'.")
        if self.cluster and self.service:
            raise CacheConfigError(
                "RedisCache OPTIONS: got CLUSTER and SENTINEL_SERVICE; expected one of them: a cluster fails over "
                "by itself, without sentinels."
            )
        if self.cluster and self.db:
            raise CacheConfigError(f"RedisCache OPTIONS['DB']: got {self.db!r}; expected 0, a cluster has no other.")
        if self.pool_kwargs.get("decode_responses"):
            raise CacheConfigError(
                "RedisCache OPTIONS['POOL_KWARGS']: got decode_responses=True; expected it unset, cached values are "
                "bytes. Use a client of your own for text."
            )

    @classmethod
    def parse(cls, locations: Iterable[object], options: Mapping[str, Any]) -> RedisOptions:
        """Reads the documented spelling. Lower-case names that are not known here go to redis-py as they are.

        Raises:
            CacheConfigError: an unknown upper-case name, or a value out of place; the message names it.
        """
        given = {_ALIASES.get(name, name): value for name, value in options.items()}
        named = {_NAMES[name]: given.pop(name) for name in list(given) if name in _NAMES}
        if unknown := [name for name in given if name.isupper()]:
            raise CacheConfigError(f"RedisCache OPTIONS: got {unknown[0]!r}; expected some of {', '.join(_NAMES)}.")
        named["pool_kwargs"] = {**given, **named.get("pool_kwargs", {})}
        if named.get("db") is not None:
            named["db"] = _database(named["db"])
        return cls(addresses=tuple(map(Address.parse, locations)), **named)

    def connection_kwargs(self, address: Address) -> dict[str, Any]:
        """What redis-py wants to know about a connection to `address`, but for the classes."""
        kwargs: dict[str, Any] = {
            "socket_timeout": SOCKET_SECONDS,
            "socket_connect_timeout": SOCKET_SECONDS,
            "health_check_interval": self.ping_interval,
            **self.pool_kwargs,
        }
        for name in ("password", "username"):
            if getattr(self, name) is not None:
                kwargs[name] = getattr(self, name)
        if self.db is not None:
            kwargs["db"] = self.db
        elif not address.url and not self.cluster:
            kwargs["db"] = DEFAULT_DB
        return kwargs


_NAMES = {
    "DB": "db",
    "PASSWORD": "password",
    "USERNAME": "username",
    "PARSER_CLASS": "parser_class",
    "POOL_CLASS": "pool_class",
    "POOL_KWARGS": "pool_kwargs",
    "PING_INTERVAL": "ping_interval",
    "CLUSTER": "cluster",
    "SENTINEL_SERVICE": "service",
    "SENTINEL_KWARGS": "sentinel_kwargs",
    "READ_REPLICAS": "read_replicas",
}
# Django's spelling of the same options.
_ALIASES = {"db": "DB", "password": "PASSWORD", "username": "USERNAME", "parser_class": "PARSER_CLASS"}
_ALIASES["pool_class"] = "POOL_CLASS"


def _database(value: object) -> int:
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()):
        return int(value)
    raise CacheConfigError(f"RedisCache OPTIONS['DB']: got {value!r}; expected the number of a database, e.g. 0.")


def _without_password(text: str) -> str:
    """The text without anything between `://` and `@`: no message shows a secret."""
    scheme, separator, rest = text.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}" if separator else text
