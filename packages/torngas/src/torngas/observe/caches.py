"""Caches whose calls are told to a watch.

`observed` makes, of the configuration of the caches, one whose backends are subclasses: they are caches of the same
kind in every respect, and tell of each call that the application makes, not of those that a cache makes of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from torngas.observe.watch import Watch, Work
from torngas_cache.handler import SHORT_NAMES

__all__ = ["observed"]

# Whether an observed call is on its way in this context.
_inside: ContextVar[bool] = ContextVar("torngas_observe_cache", default=False)
_ABSENT: Any = object()
_OPERATIONS = (
    "add",
    "cas",
    "clear",
    "decr",
    "delete",
    "delete_many",
    "has_key",
    "incr",
    "invalidate_tag",
    "set",
    "set_many",
    "touch",
    "ttl",
)


def observed(config: Mapping[str, Mapping[str, Any]], watch: Watch) -> dict[str, dict[str, Any]]:
    """The same configuration, with backends that tell the watch; one that cannot be loaded stays as it is."""
    return {alias: {**options, "BACKEND": _backend(alias, options, watch)} for alias, options in config.items()}


def _backend(alias: str, options: Mapping[str, Any], watch: Watch) -> Any:
    given = options.get("BACKEND")
    kind = _loaded(given) if isinstance(given, str) else given
    return _subclass(kind, alias, watch) if isinstance(kind, type) else given


def _loaded(path: str) -> Any:
    module, _, name = SHORT_NAMES.get(path, path).rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return None  # the cache handler says what is wrong when the alias is used


def _subclass(kind: type, alias: str, watch: Watch) -> type:
    body: dict[str, Any] = {"__doc__": kind.__doc__, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    for name in (*_OPERATIONS, *_READS):
        for method, make in ((name, _plain), (f"a{name}", _coroutine)):
            if hasattr(kind, method):
                body[method] = make(getattr(kind, method), name, alias, watch)
    return type(kind.__name__, (kind,), body)


def _plain(method: Callable[..., Any], name: str, alias: str, watch: Watch) -> Callable[..., Any]:
    read = _READS.get(name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return method(self, *args, **kwargs)
        work, token = watch.begin("cache", name, alias), _inside.set(True)
        error = None
        try:
            if read is None:
                return method(self, *args, **kwargs)
            args, default = read.asked(args, kwargs)
            return read.told(work, method(self, *args, **kwargs), default)
        except BaseException as caught:
            error = caught
            raise
        finally:
            _inside.reset(token)
            watch.end(work, error)

    return call


def _coroutine(method: Callable[..., Any], name: str, alias: str, watch: Watch) -> Callable[..., Any]:
    read = _READS.get(name)

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return await method(self, *args, **kwargs)
        work, token = watch.begin("cache", name, alias), _inside.set(True)
        error = None
        try:
            if read is None:
                return await method(self, *args, **kwargs)
            args, default = read.asked(args, kwargs)
            return read.told(work, await method(self, *args, **kwargs), default)
        except BaseException as caught:
            error = caught
            raise
        finally:
            _inside.reset(token)
            watch.end(work, error)

    return call


class _Get:
    """`get(key, default, version)`: asked with a default of our own, so that a stored None is a hit."""

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
        if len(args) > 1:
            return (args[0], _ABSENT, *args[2:]), args[1]
        default = kwargs.get("default")
        kwargs["default"] = _ABSENT
        return args, default

    def told(self, work: Work, found: Any, default: Any) -> Any:
        if found is _ABSENT:
            work.misses = 1
            return default
        work.hits = 1
        return found


class _Gets:
    """`gets(key, default, version)`: without an entry there is no token."""

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
        return args, None

    def told(self, work: Work, found: Any, default: Any) -> Any:
        if found[1] is None:
            work.misses = 1
        else:
            work.hits = 1
        return found


class _GetMany:
    """`get_many(keys, version)`."""

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
        keys: Iterable[Any] = args[0] if args else kwargs.pop("keys")
        listed = list(keys)
        return (listed, *args[1:]), len(set(listed))

    def told(self, work: Work, found: Any, default: Any) -> Any:
        work.hits = len(found)
        work.misses = default - len(found)
        return found


_READS: dict[str, Any] = {"get": _Get(), "get_many": _GetMany(), "gets": _Gets()}
