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
    from torngas_dbalchemy import Connector

__all__ = ["Resources"]


class Resources:
    """The caches and databases of one application, made when they are first needed, closed with it.

    Args:
        settings: The application's settings.

    Attributes:
        closing: What else is called when the application is closed, the last one first.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.closing: list[Callable[[], None]] = []

    @cached_property
    def caches(self) -> CacheHandler:
        """The caches of CACHES; none of them connects before it is used.

        Raises:
            InvalidCacheBackendError: the configuration of an alias cannot work.
        """
        return CacheHandler(self._settings.CACHES)

    @cached_property
    def connector(self) -> Connector | None:
        """The databases of DATABASE_CONNECTION; None where none is configured.

        Raises:
            ConfigError: the configuration cannot work.
        """
        return build_connector(self._settings)

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
