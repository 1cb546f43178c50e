"""async_execute: threads, context, exceptions, callbacks, shutdown."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextvars import ContextVar

import pytest
from tornado import gen

from torngas.decorators.async_execute import ThreadPool, async_execute, threads
from torngas.settings_manager import settings

user: ContextVar[str] = ContextVar("user", default="nobody")


@pytest.fixture(autouse=True)
def _pool():
    yield
    threads.shutdown()


class Report:
    @async_execute
    def render(self, a, b=2):
        return threading.current_thread().name, a, b, user.get()


async def test_methods_and_functions_run_in_a_thread_and_answer():
    name, a, b, _ = await Report().render(1, b=3)
    assert name.startswith("torngas")
    assert (a, b) == (1, 3)


async def test_context_variables_travel_into_the_thread():
    user.set("ada")
    assert (await Report().render(1))[3] == "ada"


async def test_it_can_be_yielded_in_a_gen_coroutine():
    @gen.coroutine
    def get():
        result = yield Report().render(1, 2)
        return result

    assert (await get())[1:3] == (1, 2)


async def test_an_exception_reaches_whoever_awaits():
    @async_execute
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fail()


async def test_a_callback_gets_the_result():
    got = asyncio.get_running_loop().create_future()
    await Report().render(5, callback=got.set_result)
    assert (await got)[1] == 5


async def test_an_exception_with_a_callback_is_logged_and_the_callback_is_not_called(caplog):
    @async_execute
    def fail():
        raise ValueError("no")

    called = []
    with caplog.at_level(logging.ERROR, "torngas"), pytest.raises(ValueError):
        await fail(callback=called.append)
    assert called == []
    assert "fail failed" in caplog.text


async def test_a_cancelled_call_drops_its_result():
    release = threading.Event()

    @async_execute
    def wait():
        return release.wait(5)

    called = []
    future = wait(callback=called.append)
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    release.set()
    assert called == []


def test_outside_a_loop_it_says_so():
    with pytest.raises(RuntimeError, match="no running event loop"):
        Report().render(1)


def test_threads_num_is_the_size_and_a_pool_is_usable_again_after_shutdown():
    pool = ThreadPool()
    with settings.override(THREADS_NUM=3):
        assert pool.executor._max_workers == 3
    pool.shutdown()
    pool.shutdown()
    with settings.override(THREADS_NUM=1):
        assert pool.executor._max_workers == 1
    pool.shutdown()
