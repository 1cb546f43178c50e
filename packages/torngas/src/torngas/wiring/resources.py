"""What an application opens and closes: its caches and databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from torngas.settings_manager import Settings
from torngas.wiring.databases import build_connector
from torngas.wiring.secrets import cookie_secret
from torngas_cache import CacheHandler

if TYPE_CHECKING:
    from torngas.observe.watch import Watch
    from torngas_dbalchemy import Connector

__all__ = ["Resources"]


class Resources:
    """The caches and databases of one application, made when they are first needed, closed with it.

    Args:
        settings: The application's settings.

    Attributes:
        closing: What else is called when the application is closed, the last one first.
        watch: Who is told of cache calls, queries and templates; None where nobody observes.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.closing: list[Callable[[], None]] = []
        self.watch: Watch | None = None

    def observe(self, observer: Any) -> None:
        """Tells an observer what caches, databases and templates do; before any of them is made."""
        if self.watch is None:
            from torngas.observe.watch import Watch

            self.watch = Watch()
        self.watch.add(observer)

    @cached_property
    def caches(self) -> CacheHandler:
        """The caches of CACHES; none of them connects before it is used.

        Raises:
            InvalidCacheBackendError: the configuration of an alias cannot work.
        """
        if self.watch is None or not self.watch.wants("cache"):
            return CacheHandler(self._settings.CACHES)
        from torngas.observe.caches import observed

        return CacheHandler(observed(self._settings.CACHES, self.watch))

    @cached_property
    def connector(self) -> Connector | None:
        """The databases of DATABASE_CONNECTION; None where none is configured.

        Raises:
            ConfigError: the configuration cannot work.
        """
        connector = build_connector(self._settings)
        if connector is not None and self.watch is not None and self.watch.wants("query"):
            from torngas.observe.queries import watch_queries

            watch_queries(connector, self.watch)
        return connector

    @cached_property
    def cookie_secret(self) -> Any:
        """TORNADO_CONF's `cookie_secret`; with DEBUG a missing one is made.

        Raises:
            ConfigError: there is none, and DEBUG is off.
        """
        return cookie_secret(self._settings)

    async def aclose(self) -> None:
        """Closes what was made; idempotent."""
        while self.closing:
            self.closing.pop()()
        if "caches" in self.__dict__:
            await self.caches.aclose_all()
        connector = self.__dict__.get("connector")
        if connector is not None:
            await connector.aclose()
