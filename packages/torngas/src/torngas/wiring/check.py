"""All that is wrong with the settings, found in one pass."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torngas.exception import ConfigError
from torngas.settings_manager import Settings
from torngas.wiring.databases import build_connector
from torngas.wiring.observers import check_observers
from torngas_cache import CacheError, CacheHandler
from torngas_session import SessionConfig, SessionError

__all__ = ["check_settings", "problems_of"]

Test = Callable[[Any], bool]


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_dict_of_dicts(value: Any) -> bool:
    return _is_dict(value) and all(_is_dict(item) for item in value.values())


def _is_dict_of_names(value: Any) -> bool:
    return _is_dict(value) and all(_is_names(item) for item in value.values())


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def _is_path(value: Any) -> bool:
    return isinstance(value, str | Path)


_EXPECTED: Mapping[str, tuple[Test, str]] = {
    "DEBUG": (_is_bool, "True or False"),
    "DEBUG_HOSTS": (_is_names, "a list of host names, e.g. ['localhost']"),
    "XHEADERS": (_is_bool, "True or False"),
    "TRUSTED_DOWNSTREAM": (_is_names, "a list of addresses, e.g. ['10.0.0.1']"),
    "IPV4_ONLY": (_is_bool, "True or False"),
    "TORNADO_CONF": (_is_dict, "a dictionary of Tornado's application settings"),
    "MIDDLEWARE_CLASSES": (_is_list, "a list of dotted paths (a single one needs a comma: ('a.B',))"),
    "INSTALLED_APPS": (_is_names, "a list of import names (a single one needs a comma: ('blog',))"),
    "COMMON_MODULES": (_is_list, "a list of dotted paths (a single one needs a comma: ('a.B',))"),
    "ROUTE_MODULES": (_is_dict_of_names, "a dictionary from a route to a list of dotted paths"),
    "CACHES": (_is_dict_of_dicts, "a dictionary from an alias to a dictionary with BACKEND"),
    "SESSION": (_is_dict, "a dictionary of session options"),
    "TEMPLATE_CONFIG": (_is_dict, "a dictionary of template options"),
    "TRANSLATIONS": (_is_bool, "True or False"),
    "TRANSLATIONS_CONF": (_is_dict, "a dictionary with translations_dir"),
    "OPENAPI": (_is_dict, "a dictionary with some of title, version, description, servers, tags"),
    "WHITELIST": (lambda value: value is False or _is_names(value), "False or a list of addresses"),
    "LOGGING_DIR": (_is_path, "a folder"),
    "LOGGING": (lambda value: _is_list(value) and all(map(_is_dict, value)), "a list of dictionaries with name"),
    "DATABASE_CONNECTION": (_is_dict_of_dicts, "a dictionary from an alias to a dictionary with connections"),
    "DATABASE_ROUTERS": (_is_list, "a list of dotted paths or routers"),
    "PING_DB": (_is_duration, "seconds; 0 never"),
    "PING_CONN_COUNT": (_is_count, "a number of connections above 0"),
    "SQLALCHEMY_CONFIGURATION": (_is_dict, "a dictionary of sqlalchemy.* options"),
    "THREADS_NUM": (_is_count, "a number of threads above 0, or None"),
    "SHUTDOWN_TIMEOUT": (_is_duration, "seconds"),
    "SHUTDOWN_DELAY": (_is_duration, "seconds"),
    "HEALTH_CONFIG": (_is_dict, "a dictionary with timeout, max_age, caches, databases, checks"),
    "METRICS_CONFIG": (_is_dict, "a dictionary with namespace, buckets, response_size, registry"),
    "TRACING_CONFIG": (_is_dict, "a dictionary with enabled, caches, queries, templates, provider"),
    "SLOW_REQUEST_SECONDS": (lambda value: value is None or _is_duration(value), "seconds, or None for never"),
}


def check_settings(settings: Settings) -> None:
    """Refuses settings that are wrong.

    Raises:
        ConfigError: names every problem, a line each.
    """
    if problems := list(problems_of(settings)):
        raise ConfigError("\n".join(problems))


def problems_of(settings: Settings) -> Iterator[str]:
    """Yields what is wrong: kinds of values, apps that are not there or stand twice, paths that do not import."""
    wrong = set()
    for name, (test, expected) in _EXPECTED.items():
        if not test(settings[name]):
            wrong.add(name)
            yield f"{name}: got {_shown(name, settings[name])}; expected {expected}"
    if "INSTALLED_APPS" not in wrong:
        yield from _app_problems(settings.INSTALLED_APPS)
    for name in ("MIDDLEWARE_CLASSES", "COMMON_MODULES"):
        if name not in wrong:
            yield from _import_problems(name, settings[name])
    if "ROUTE_MODULES" not in wrong:
        for key, modules in settings.ROUTE_MODULES.items():
            named = [module.removeprefix("!") for module in modules if module != "!all"]
            yield from _import_problems(f"ROUTE_MODULES[{key!r}]", named)
    for names, build in _BUILDERS:
        if not wrong & names:
            yield from _problems_in(build, settings)


def _check_session(settings: Settings) -> None:
    options = dict(settings.SESSION)
    alias = options.pop("session_cache_alias")
    if alias not in settings.CACHES:
        raise ConfigError(f"SESSION['session_cache_alias']: got {alias!r}; expected one of {sorted(settings.CACHES)}")
    SessionConfig.from_mapping({**options, "secret_key": options.get("secret_key") or "made at start-up"})


_BUILDERS: tuple[tuple[frozenset[str], Callable[[Settings], object]], ...] = (
    (frozenset({"CACHES"}), lambda settings: CacheHandler(settings.CACHES)),
    (frozenset({"CACHES", "SESSION"}), _check_session),
    (frozenset({"DATABASE_CONNECTION", "DATABASE_ROUTERS", "SQLALCHEMY_CONFIGURATION"}), build_connector),
    (frozenset({"HEALTH_CONFIG", "METRICS_CONFIG", "TRACING_CONFIG"}), check_observers),
)


def _problems_in(build: Callable[[Settings], object], settings: Settings) -> Iterator[str]:
    try:
        build(settings)
    except (ConfigError, CacheError, SessionError) as error:
        yield str(error)


def _shown(name: str, value: Any) -> str:
    """A value for a message; of what may hold secrets only the kind."""
    return type(value).__name__ if name in ("TORNADO_CONF", "SESSION", "DATABASE_CONNECTION", "CACHES") else repr(value)


def _app_problems(apps: Iterable[str]) -> Iterator[str]:
    known = list(apps)
    for app in dict.fromkeys(known):
        if known.count(app) > 1:
            yield f"INSTALLED_APPS: got {app!r} {known.count(app)} times; expected each app once"
        elif not _is_there(app):
            yield (
                f"INSTALLED_APPS: got {app!r}, which is not on sys.path; start the program from the folder that holds "
                f"{app.partition('.')[0]!r}"
            )


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _import_problems(where: str, paths: Iterable[Any]) -> Iterator[str]:
    for path in paths:
        if isinstance(path, str) and (problem := _import_problem(path)):
            yield f"{where}: got {path!r}, which does not import ({problem}); expected the dotted path of a class"


def _import_problem(path: str) -> str:
    module, _, name = path.rpartition(".")
    try:
        getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        return str(error)
    return ""
