"""`cached`: remembers the results of a function or a coroutine function.

    @cached(60)
    def rates(currency):
        return requests.get(...).json()

    rates("EUR")
    rates.invalidate("EUR")

The key is made of the function's name and its arguments; say `key=` where these are more than plain values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar

from torngas_cache._keymaking import DEFAULT_TIMEOUT, Timeout
from torngas_cache._keys import digest
from torngas_cache.backends.base import BaseCache
from torngas_cache.handler import DEFAULT_CACHE_ALIAS, caches

__all__ = ["CachedFunction", "cached"]

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
_PLAIN = (str, bytes, int, float, complex, bool, type(None))
_LONGEST = 150


class CachedFunction(Protocol[P, R_co]):
    """What `cached` returns: the function, and three attributes more."""

    __wrapped__: Callable[..., Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """The remembered result, or a new one."""
        raise NotImplementedError

    def __get__(self, instance: Any, owner: Any = None) -> Callable[..., R_co]:
        """As a method."""
        raise NotImplementedError

    def cache_key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The key of a call."""
        raise NotImplementedError

    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Forgets the result of a call: whether there was one, or a coroutine that returns this."""


def cached(
    timeout: Timeout = DEFAULT_TIMEOUT,
    *,
    key: str | Callable[..., Any] | None = None,
    alias: str = DEFAULT_CACHE_ALIAS,
    cache: BaseCache | None = None,
    version: Any = None,
    early: float = 0.0,
    stale_while_revalidate: float = 0.0,
    stale_if_error: float = 0.0,
    lease: float | None = None,
    tags: Iterable[str] | Callable[..., Iterable[str]] = (),
) -> Callable[[Callable[P, R_co]], CachedFunction[P, R_co]]:
    """Keeps what the function returns, None included; one caller at a time computes a missing value (`get_or_set`).

    The decorated function has three more attributes: `cache_key(*args, **kwargs)`, `invalidate(*args, **kwargs)` (a
    coroutine if the function is one) and `__wrapped__`, the function itself.

    Args:
        timeout: Lifetime of a result in seconds; None: for ever.
        key: A format string over the arguments by name, `"user:{id}"`, or a callable of the same arguments that
            returns the key. None: the function's full name with its arguments, which have to be str, bytes, numbers,
            None, or tuples of these; the first argument of a method is usually not, and needs `key`.
        alias: The cache of `caches` to use, looked up at every call.
        cache: The cache to use, instead of an alias.
        version: Version of the key.
        early: See `BaseCache.get_or_set`, as for the rest.
        tags: Tags of the entries, or a callable of the same arguments that returns them.
    """
    policy = {
        "early": early,
        "stale_while_revalidate": stale_while_revalidate,
        "stale_if_error": stale_if_error,
        "lease": lease,
    }

    def decorate(function: Callable[P, R_co]) -> CachedFunction[P, R_co]:
        _check(function)
        plan = _Plan(function, _KeyOf(function, key), timeout, version, alias, cache, policy, tags)
        found: CachedFunction[P, R_co] = plan.coroutine() if inspect.iscoroutinefunction(function) else plan.plain()
        return found

    return decorate


def _check(function: Any) -> None:
    if isinstance(function, staticmethod | classmethod) or not callable(function):
        raise TypeError(f"cached: got {function!r}; expected a function; @cached stands below @classmethod.")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(f"cached: got the generator {function.__qualname__}; expected one that returns a value.")


@dataclass(frozen=True, slots=True)
class _Plan:
    """One decorated function."""

    function: Callable[..., Any]
    cache_key: Callable[..., str]
    timeout: Timeout
    version: Any
    alias: str
    cache: BaseCache | None
    policy: dict[str, Any]
    tags: Iterable[str] | Callable[..., Iterable[str]]

    def store(self) -> BaseCache:
        return caches[self.alias] if self.cache is None else self.cache

    def call(self, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Calls `get_or_set` or its twin."""
        tags = self.tags(*args, **kwargs) if callable(self.tags) else self.tags
        compute = functools.partial(self.function, *args, **kwargs)
        key = self.cache_key(*args, **kwargs)
        return method(key, compute, self.timeout, self.version, tags=tags, **self.policy)

    def plain(self) -> Any:
        @functools.wraps(self.function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return self.call(self.store().get_or_set, args, kwargs)

        def invalidate(*args: Any, **kwargs: Any) -> bool:
            return self.store().delete(self.cache_key(*args, **kwargs), self.version)

        return self.finish(call, invalidate)

    def coroutine(self) -> Any:
        @functools.wraps(self.function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self.call(self.store().aget_or_set, args, kwargs)

        async def invalidate(*args: Any, **kwargs: Any) -> bool:
            return await self.store().adelete(self.cache_key(*args, **kwargs), self.version)

        return self.finish(call, invalidate)

    def finish(self, call: Any, invalidate: Callable[..., Any]) -> Any:
        call.cache_key, call.invalidate = self.cache_key, invalidate
        return call


class _KeyOf:
    """The key of a call."""

    def __init__(self, function: Callable[..., Any], key: str | Callable[..., Any] | None) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}".replace("<locals>.", "").replace("<lambda>", "?")
        self._signature = inspect.signature(function)
        self._key = key

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        if callable(self._key):
            return str(self._key(*args, **kwargs))
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if self._key is not None:
            return self._key.format(**bound.arguments)
        text = ",".join(f"{name}={self._text(name, value)}" for name, value in bound.arguments.items())
        if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
            text = "#" + digest(text)
        return f"{self._name}({text})"

    def _text(self, name: str, value: Any) -> str:
        """An unambiguous spelling: 1 and "1", 1 and True differ."""
        if type(value) in _PLAIN:
            return repr(value)
        if type(value) is tuple:
            return f"({','.join(self._text(name, item) for item in value)},)"
        if type(value) is dict and all(type(item) is str for item in value):
            return f"{{{','.join(f'{item!r}:{self._text(name, value[item])}' for item in sorted(value))}}}"
        raise TypeError(
            f"cached: got {name}, a {type(value).__qualname__}, in a call of {self._name}; expected plain values. "
            "Say which key to use: @cached(…, key='user:{id}') or key=lambda …: ….",
        )
