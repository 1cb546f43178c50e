"""Django's habits on Tornado: settings, apps, urls, middlewares, sessions, cache, signals, ORM, templates.

from torngas import Url, route

u = Url("blog.handlers")
urls = route(u(r"/?", "index.Main", name="Index"))
"""

from torngas.context import request_context
from torngas.exception import ArgumentError, ConfigError
from torngas.settings_manager import settings
from torngas.storage import ThreadedDict, sorteddict, storage, storify
from torngas.utils import (
    Null,
    RWLock,
    cached_property,
    is_future,
    iterbetter,
    lazyimport,
    safestr,
    safeunicode,
    sleep,
    strips,
)
from torngas.webserver import Server, run
from torngas_router import Url, include, route

__version__ = version = "2.0.0"

__all__ = [
    "ArgumentError",
    "ConfigError",
    "Null",
    "RWLock",
    "Server",
    "ThreadedDict",
    "Url",
    "__version__",
    "cached_property",
    "include",
    "is_future",
    "iterbetter",
    "lazyimport",
    "request_context",
    "route",
    "run",
    "safestr",
    "safeunicode",
    "settings",
    "sleep",
    "sorteddict",
    "storage",
    "storify",
    "strips",
    "version",
]
