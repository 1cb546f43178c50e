"""Every documented 1.8 path holds the library's own object."""

from __future__ import annotations

import ast
import pickle
from importlib import import_module
from pathlib import Path

import pytest

import torngas

SAME = {
    "torngas": {"Url": "torngas_router", "route": "torngas_router", "include": "torngas_router"},
    "torngas.urlhelper": {"Url": "torngas_router", "route": "torngas_router", "include": "torngas_router"},
    "torngas.exception": {"UrlError": "torngas_router"},
    "torngas.mixins.miiddleware": {"MiddlewareHandlerMixin": "torngas_middleware"},
    "torngas.mixins.flash_message": {"FlashMessageMixIn": "torngas_session"},
    "torngas.middleware.accesslog": {"AccessLogMiddleware": "torngas_middleware"},
    "torngas.middleware.manager": {"Manager": "torngas_middleware"},
    "torngas.middleware.session": {
        "SessionMiddleware": "torngas_session",
        "SessionManager": "torngas_session",
        "SignalMiddleware": "torngas_signal",
    },
    "torngas.middleware.signal": {"SignalMiddleware": "torngas_signal"},
    "torngas.middleware.dbalchemy": {"DBAlchemyMiddleware": "torngas_dbalchemy"},
    "torngas.httpmodule": {"BaseHttpModule": "torngas_httpmodule"},
    "torngas.httpmodule.httpmodule": {"HttpModuleMiddleware": "torngas_httpmodule"},
    "torngas.cache": dict.fromkeys(
        (
            "caches",
            "cache",
            "CacheHandler",
            "BaseCache",
            "InvalidCacheBackendError",
            "CacheKeyWarning",
            "close_caches",
            "DEFAULT_CACHE_ALIAS",
            "DEFAULT_REDIS_ALIAS",
            "DEFAULT_MEMCACHED_ALIAS",
            "DEFAULT_DUMMY_ALIAS",
        ),
        "torngas_cache",
    ),
    "torngas.cache.backends.base": dict.fromkeys(("BaseCache", "DEFAULT_TIMEOUT"), "torngas_cache.backends.base"),
    "torngas.cache.backends.localcache": {"LocMemCache": "torngas_cache.backends.localcache"},
    "torngas.cache.backends.filebased": {"FileBasedCache": "torngas_cache.backends.filebased"},
    "torngas.cache.backends.rediscache": dict.fromkeys(
        ("RedisCache", "RedisClient"), "torngas_cache.backends.rediscache"
    ),
    "torngas.cache.backends.memcached": {"MemcachedCache": "torngas_cache.backends.memcached"},
    "torngas.cache.backends.dummy": {"DummyCache": "torngas_cache.backends.dummy"},
    "torngas.signal": dict.fromkeys(
        ("call_started", "handler_started", "handler_render", "handler_response", "call_finished"),
        "torngas_signal.lifecycle",
    ),
    "torngas.dispatch": dict.fromkeys(("Signal", "receiver"), "torngas_signal"),
    "torngas.db.dbalchemy": dict.fromkeys(
        (
            "Model",
            "MetaBaseModel",
            "Connector",
            "get_connector",
            "SQLAlchemy",
            "ConnBase",
            "DBConfigParser",
            "create_session",
            "BaseQuery",
            "Pagination",
        ),
        "torngas_dbalchemy",
    ),
    "torngas.logger": dict.fromkeys(
        ("syslogger", "SysLogger", "ProcessLogTimedFileHandler", "enable_pretty_logging"), "torngas_logger"
    ),
}
OWN = {
    "torngas": (
        "settings Server run ConfigError ArgumentError request_context is_future RWLock cached_property lazyimport "
        "Null safestr safeunicode strips iterbetter sleep storage storify sorteddict ThreadedDict version __version__"
    ),
    "torngas.webserver": "Server run",
    "torngas.application": "Application",
    "torngas.handler": "WebHandler ApiHandler ErrorHandler",
    "torngas.exception": (
        "BaseError ArgumentError ConfigError NotCallableError Http404 HttpForbiddenError HttpNotAllowError "
        "HttpBadRequestError Http500"
    ),
    "torngas.settings_manager": "settings SETTINGS_MODULE_ENVIRON",
    "torngas.global_settings": "DEBUG CACHES SESSION",
    "torngas.mixins.exception": "UncaughtExceptionMixin",
    "torngas.decorators.async_execute": "async_execute",
    "torngas.decorators.whitelist": "whitelisted",
    "torngas.template.jinja2_loader": "Jinja2TemplateLoader",
    "torngas.template.mako_loader": "MakoTemplateLoader",
}


@pytest.mark.parametrize(
    ("path", "name", "library"), [(path, name, lib) for path, names in SAME.items() for name, lib in names.items()]
)
def test_a_documented_path_is_the_librarys_object(path, name, library):
    assert getattr(import_module(path), name) is getattr(import_module(library), name)


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in OWN.items() for name in names.split()])
def test_a_documented_name_of_the_framework_is_there(path, name):
    assert getattr(import_module(path), name) is not None


def test_the_old_paths_hold_imports_and_nothing_else():
    """A thin module: its docstring, imports and `__all__`."""
    root = Path(torngas.__file__).parent
    for folder in ("cache", "db", "middleware", "httpmodule"):
        for path in (root / folder).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                thin = isinstance(node, ast.ImportFrom | ast.Expr) or (
                    isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
                )
                assert thin, f"{path}:{node.lineno}"


@pytest.mark.parametrize(
    ("pickled", "value"),
    [
        (b"\x80\x02ctorngas.storage\nstorage\n)\x81U\x01aK\x01s.", torngas.storage(a=1)),
        (b"\x80\x02]q\x00(ctorngas.storage\nstorage\n)\x81U\x01bK\x02se.", [torngas.storage(b=2)]),
    ],
)
def test_what_python_2_pickled_under_the_old_names_is_read(pickled, value):
    """A cache that is kept over the upgrade holds rows of basedb and the like, written by protocol 2."""
    found = pickle.loads(pickled)
    assert found == value
    assert type(found) is type(value)


def test_what_is_pickled_now_is_named_by_where_it_lives(tmp_path):
    """Values of every class that users keep in caches and sessions come back as they were."""
    for value in (torngas.storage(a=1), torngas.sorteddict({"a": 1}), torngas.exception.Http404("gone")):
        found = pickle.loads(pickle.dumps(value))
        assert type(found) is type(value)
        assert vars(found) == vars(value)
        assert str(found) == str(value)
