"""The checks of what an application is configured with: its caches and its databases."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from torngas.exception import ConfigError
from torngas.observe._attempts import in_thread

if TYPE_CHECKING:
    from torngas.settings_manager import Settings
    from torngas_cache import CacheHandler
    from torngas_dbalchemy import Connector
    from torngas_dbalchemy.engines import Server

__all__ = ["resource_checks"]

_KEPT_SECONDS = 10


def resource_checks(
    application: Any, caches: Iterable[str] | None, databases: Iterable[str] | None
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yields name and check of each cache and each server of each database.

    Raises:
        ConfigError: an alias is not configured.
    """
    resources = getattr(application, "resources", None)
    if resources is None:
        return
    known = _aliases(application.project_settings, resources.caches)
    for alias in _chosen("caches", caches, known, list(resources.caches)):
        yield f"cache:{alias}", partial(_ask_cache, resources.caches, alias)
    connector = resources.connector
    if connector is not None:
        yield from _database_checks(connector, databases)


def _aliases(settings: Settings | None, handler: CacheHandler) -> list[str]:
    """Those of CACHES; of the defaults, which nobody configured, the one that is in memory."""
    if settings is not None and "CACHES" not in settings.own:
        return [alias for alias in handler if alias == "default"]
    return list(handler)


def _chosen(option: str, given: Iterable[str] | None, default: list[str], known: list[str]) -> list[str]:
    if given is None:
        return default
    chosen = list(given)
    if missing := [alias for alias in chosen if alias not in known]:
        raise ConfigError(f"HEALTH_CONFIG[{option!r}]: got {missing}; expected some of {known}")
    return chosen


def _database_checks(connector: Connector, given: Iterable[str] | None) -> Iterator[tuple[str, Callable[[], Any]]]:
    from torngas.observe.queries import servers_of

    known = list(connector.databases)
    chosen = _chosen("databases", given, known, known)
    for alias, name, server in servers_of(connector):
        if alias in chosen:
            yield (
                f"database:{alias}" if name == "primary" else f"database:{alias}:{name}",
                partial(_ask_server, server),
            )


async def _ask_cache(caches: CacheHandler, alias: str) -> bool:
    """Writes, reads and removes an entry: a cache that answers its outages as misses would pass a mere read."""
    cache = await in_thread(partial(caches.__getitem__, alias))  # it may have to import its driver
    if not cache.blocking:
        return True  # in this process's memory
    key, value = f"torngas.health.{secrets.token_hex(8)}", secrets.token_hex(8)
    await cache.aset(key, value, _KEPT_SECONDS)
    try:
        found = (await cache.agets(key))[0]  # of a cache in two levels, from the shared one
    except NotImplementedError:
        found = await cache.aget(key)
    await cache.adelete(key)
    return bool(found == value)


def _ask_server(server: Server) -> Awaitable[None] | None:
    """Blocks, for a thread; where there is only an asynchronous driver, answers what is to be awaited."""
    from torngas_dbalchemy.errors import ConfigError as NoDriverError

    try:
        engine = server.engine
    except NoDriverError:
        return _ask_server_async(server)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    return None


async def _ask_server_async(server: Server) -> None:
    async with server.async_engine.connect() as connection:
        await connection.exec_driver_sql("SELECT 1")
