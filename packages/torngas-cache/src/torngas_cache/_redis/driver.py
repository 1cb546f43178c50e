"""redis-py, loaded on first use: its types by our words, and what differs between its releases."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from torngas_cache.errors import CacheConfigError, MissingExtraError

__all__ = ["asynchronous", "borrow", "connections", "driver", "load", "no_retry", "twin"]


@cache
def driver() -> ModuleType:
    """Answers the module `redis`.

    Raises:
        MissingExtraError: it is not installed; the message tells how to install it.
    """
    try:
        return import_module("redis")
    except ImportError as error:
        raise MissingExtraError("RedisCache needs redis-py: pip install 'torngas-cache[redis]'") from error


def load(where: str, value: Any) -> Any:
    """Answers the object that a dotted path names, or `value` itself where it is no string.

    Raises:
        CacheConfigError: there is no such object; `where` names the option.
    """
    if not isinstance(value, str):
        return value
    module, _, name = value.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CacheConfigError(
            f"{where}: got {value!r}, which cannot be imported ({error}); expected a class or its dotted path."
        ) from error


def asynchronous() -> ModuleType:
    """Answers the module `redis.asyncio`."""
    driver()
    return import_module("redis.asyncio")


def connections(is_async: bool) -> ModuleType:
    """Answers the module with connection, pool and parser classes of one of the two worlds."""
    driver()
    return import_module("redis.asyncio.connection" if is_async else "redis.connection")


def no_retry(is_async: bool) -> Any:
    """A retry policy that never retries: this library decides what may be sent twice, and what a timeout costs."""
    driver()
    policy = import_module("redis.asyncio.retry" if is_async else "redis.retry").Retry
    return policy(import_module("redis.backoff").NoBackoff(), 0)


def twin(cls: type[Any], default: type[Any]) -> type[Any]:
    """Answers the asynchronous counterpart of a class of redis-py, or `default` for a class that has none.

    A pool or parser that the user wrote for the synchronous client cannot serve coroutines.
    """
    if not cls.__module__.startswith("redis."):
        return default
    module = connections(is_async=True)
    names = (cls.__name__, f"_Async{cls.__name__.lstrip('_')}")
    return next((getattr(module, name) for name in names if hasattr(module, name)), default)


@cache
def _names_its_command(get_connection: Callable[..., Any]) -> bool:
    """redis-py before 5.3 wants a command's name for a connection; later releases warn about it."""
    parameter = inspect.signature(get_connection).parameters.get("command_name")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def borrow(pool: Any) -> Any:
    """Calls `pool.get_connection` as this release wants it; answers what it does (an awaitable, of an async pool)."""
    return pool.get_connection("_") if _names_its_command(type(pool).get_connection) else pool.get_connection()
