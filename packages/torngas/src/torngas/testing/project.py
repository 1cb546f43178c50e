"""The application of a settings module, for the time of a test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torngas.application import Application
from torngas.settings_manager import Settings, load_settings, settings
from torngas.webserver import Server
from torngas.wiring.check import check_settings
from torngas_cache import caches

__all__ = ["project_application"]


@contextmanager
def project_application(given: str | Mapping[str, Any] | Settings) -> Iterator[Application]:
    """Makes the application as `Server` does, without a log file or a socket.

    Inside the block `torngas.settings`, `torngas.cache` and the models are its own, outside of requests too.

    Args:
        given: A settings module's dotted path, a mapping of settings, or settings.

    Raises:
        ConfigError: a setting or an app is wrong.
        UrlError: a route is wrong.
    """
    chosen = _settings(given)
    former_caches = caches.replace(None)
    caches.replace(former_caches)
    settings.configure(chosen)
    try:
        check_settings(chosen)
        server = Server(settings=chosen)
        server.load_urls()
        application = server.load_application()
        try:
            yield application
        finally:
            _run(application.aclose())
    finally:
        settings.reset()
        caches.replace(former_caches)
        if chosen.DATABASE_CONNECTION:
            from torngas_dbalchemy import configure

            configure(None)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a loop of its own, and not `asyncio.run`, which would take the thread's loop from whoever set it."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def _settings(given: str | Mapping[str, Any] | Settings) -> Settings:
    if isinstance(given, Settings):
        return given
    return load_settings(given) if isinstance(given, str) else Settings(given)
