"""One description of an operation, two ways to carry it out: blocking, and as a coroutine.

An operation that takes several round trips is a generator. It yields `Step`s, which name a method of the cache without
its prefix, and is sent their results; it does no I/O by itself. `run` calls the method, `arun` awaits its twin.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from inspect import isawaitable
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Step(NamedTuple):
    """A call of one primitive: `Step("read", (key,))` is `_read(key)`, or `await _aread(key)`."""

    primitive: str
    arguments: tuple[Any, ...] = ()


class Pause(NamedTuple):
    """Waiting without holding anything, a connection in particular."""

    seconds: float


class Call(NamedTuple):
    """A call of the user's function; in a coroutine its result is awaited if it can be."""

    function: Callable[[], Any]


Action = Step | Pause | Call
Steps = Generator[Action, Any, T]


def run(target: object, steps: Steps[T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Carries the steps out on the calling thread."""
    try:
        action = next(steps)
        while True:
            try:
                result = _perform(target, action, sleep)
            except BaseException as error:  # noqa: BLE001  # handed to the steps, which raise it on
                action = steps.throw(error)
            else:
                action = steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # a generator's value, whose type the signature tells


async def arun(target: object, steps: Steps[T]) -> T:
    """Carries the steps out on the running loop; a cancellation reaches the generator as an exception."""
    try:
        action = next(steps)
        while True:
            try:
                result = await _aperform(target, action)
            except GeneratorExit:  # the coroutine is thrown away: nothing can be awaited any more
                steps.close()
                raise
            except BaseException as error:  # noqa: BLE001  # handed to the steps, which raise it on
                action = steps.throw(error)
            else:
                action = steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as above


def _perform(target: object, action: Action, sleep: Callable[[float], None]) -> Any:
    match action:
        case Step(primitive, arguments):
            return getattr(target, f"_{primitive}")(*arguments)
        case Pause(seconds):
            return sleep(seconds)
        case Call(function):
            return function()


async def _aperform(target: object, action: Action) -> Any:
    match action:
        case Step(primitive, arguments):
            return await getattr(target, f"_a{primitive}")(*arguments)
        case Pause(seconds):
            return await asyncio.sleep(seconds)
        case Call(function):
            result = function()
            return await result if isawaitable(result) else result
