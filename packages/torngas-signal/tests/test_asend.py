"""Asynchronous sends. Events stand for time: nothing here waits for a clock."""

import asyncio
import contextvars
import logging

import pytest

from torngas_signal import Signal

SENDER = object()


def sync(sender, **kwargs):
    return "sync"


async def coroutine(sender, **kwargs):
    return "async"


def names(responses):
    return [answer for _, answer in responses]


async def test_answers_are_in_the_order_of_the_receivers(signal):
    order = []

    async def slow(sender, **kwargs):
        await finished.wait()
        order.append("slow")
        return "slow"

    async def quick(sender, **kwargs):
        order.append("quick")
        finished.set()
        return "quick"

    finished = asyncio.Event()
    signal.connect(slow, priority=3)
    signal.connect(sync, priority=2)
    signal.connect(quick, priority=1)
    assert await signal.asend(SENDER, x=1) == [(slow, "slow"), (sync, "sync"), (quick, "quick")]
    assert order == ["quick", "slow"]


async def test_asynchronous_receivers_run_at_the_same_time(signal):
    """Each waits for all the others."""
    barrier = asyncio.Barrier(5)

    async def meet(sender):
        return await barrier.wait()

    for number in range(5):
        signal.connect(meet, dispatch_uid=number)
    assert sorted(names(await signal.asend())) == [0, 1, 2, 3, 4]


async def test_synchronous_receivers_run_in_order_before_the_others(signal):
    order = []

    async def first(sender):
        order.append("async")

    def second(sender):
        order.append("second")

    def third(sender):
        order.append("third")

    for receiver in (first, second, third):
        signal.connect(receiver)
    await signal.asend()
    assert order == ["second", "third", "async"]


async def test_asend_without_receivers_and_with_synchronous_ones_only(signal):
    assert await signal.asend(SENDER) == []
    signal.connect(sync)
    assert await signal.asend(sender=SENDER, x=1) == [(sync, "sync")]


async def test_an_awaitable_response_of_a_synchronous_receiver_is_awaited(signal):
    def returns_a_coroutine(sender):
        return coroutine(sender)

    def returns_a_future(sender):
        future = asyncio.get_running_loop().create_future()
        future.set_result("future")
        return future

    signal.connect(returns_a_coroutine)
    signal.connect(returns_a_future)
    assert names(await signal.asend()) == ["async", "future"]
    assert names(await signal.asend_robust()) == ["async", "future"]


async def test_each_asynchronous_receiver_has_a_context_of_its_own(signal):
    variable = contextvars.ContextVar("variable", default="outside")

    async def setting(sender):
        variable.set("inside")

    signal.connect(setting)
    await signal.asend()
    assert variable.get() == "outside"


async def test_an_exception_cancels_the_rest_and_is_raised_as_it_is(signal):
    cancelled = []

    async def waiting(sender):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("waiting")
            raise

    async def failing(sender):
        raise LookupError("broken")

    signal.connect(waiting)
    signal.connect(failing)
    with pytest.raises(LookupError, match="broken"):
        await signal.asend()
    assert cancelled == ["waiting"]


async def test_several_exceptions_are_a_group(signal):
    """The second one is raised on the way out."""

    async def waiting(sender):
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    async def failing(sender):
        raise LookupError

    signal.connect(waiting)
    signal.connect(failing)
    with pytest.raises(ExceptionGroup) as caught:
        await signal.asend()
    assert [type(error) for error in caught.value.exceptions] == [LookupError, ZeroDivisionError]


async def test_a_failed_send_leaves_no_cancellation_behind(signal):
    async def waiting(sender):
        await asyncio.Event().wait()

    async def failing(sender):
        raise LookupError

    signal.connect(waiting)
    signal.connect(failing)
    with pytest.raises(LookupError):
        await signal.asend()
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("awaitable", [True, False])
async def test_an_exception_of_a_synchronous_receiver_starts_nobody(signal, awaitable):
    started = []

    async def starting(sender):
        started.append(sender)

    def wrapping(sender):
        return starting(sender)

    def failing(sender):
        raise LookupError

    signal.connect(wrapping if awaitable else starting)
    signal.connect(failing)
    with pytest.raises(LookupError):
        await signal.asend()
    assert started == []


async def test_wrong_arguments_are_the_receivers_type_error(signal):
    async def demanding(sender, missing):
        """Never runs."""

    signal.connect(demanding)
    signal.connect(coroutine)
    with pytest.raises(TypeError, match="missing"):
        await signal.asend()
    [(_, error), (_, answer)] = await signal.asend_robust()
    assert isinstance(error, TypeError)
    assert answer == "async"


@pytest.mark.promise(24)
async def test_promise_24_asend_robust_isolates_and_keeps_the_order(signal, caplog):
    """Failing, slow, synchronous and asynchronous receivers, mixed."""
    release = asyncio.Event()

    async def slow(sender):
        await release.wait()
        return "slow"

    async def failing(sender):
        release.set()
        raise LookupError("async")

    def failing_too(sender):
        raise LookupError("sync")

    for receiver in (slow, failing, failing_too, sync, coroutine):
        signal.connect(receiver)
    with caplog.at_level(logging.ERROR, logger="torngas_signal"):
        responses = await signal.asend_robust()
    assert [receiver for receiver, _ in responses] == [slow, failing, failing_too, sync, coroutine]
    assert [str(answer) for answer in names(responses)] == ["slow", "async", "sync", "sync", "async"]
    assert len(caplog.records) == 2
    assert all(record.exc_info for record in caplog.records)


@pytest.mark.promise(24)
@pytest.mark.parametrize("send", ["asend", "asend_robust"])
async def test_promise_24_cancellation_propagates_and_ends_the_receivers(signal, send):
    started, ended = asyncio.Event(), []

    async def waiting(sender):
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(sender)

    signal.connect(waiting)
    task = asyncio.create_task(getattr(signal, send)(SENDER))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert ended == [SENDER]


@pytest.mark.parametrize("send", ["asend", "asend_robust"])
@pytest.mark.parametrize("answer", ["value", "error"])
async def test_a_receiver_cannot_swallow_the_cancellation(signal, send, answer):
    """Whatever a receiver makes of it, the send is cancelled."""
    started = asyncio.Event()

    async def stubborn(sender):
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if answer == "error":
                raise LookupError from None
        return "stubborn"

    signal.connect(stubborn)
    task = asyncio.create_task(getattr(signal, send)())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("send", ["asend", "asend_robust"])
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_cancelled_error_of_a_receiver_is_no_response(signal, send, kind):
    async def giving_up(sender):
        raise asyncio.CancelledError

    def giving_up_at_once(sender):
        raise asyncio.CancelledError

    signal.connect(giving_up if kind == "async" else giving_up_at_once)
    with pytest.raises(asyncio.CancelledError):
        await getattr(signal, send)()


@pytest.mark.parametrize("send", ["asend", "asend_robust"])
async def test_a_receiver_that_gives_up_cancels_the_rest(signal, send):
    async def giving_up(sender):
        raise asyncio.CancelledError

    async def waiting(sender):
        await asyncio.Event().wait()

    signal.connect(waiting)
    signal.connect(giving_up)
    with pytest.raises(asyncio.CancelledError):
        await getattr(signal, send)()


async def test_a_timeout_around_a_send_works(signal):
    async def waiting(sender):
        await asyncio.Event().wait()

    signal.connect(waiting)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await signal.asend()


async def test_once_with_an_asynchronous_receiver(signal):
    signal.connect(coroutine, once=True)
    both = await asyncio.gather(signal.asend(), signal.asend())
    assert sorted(names(responses) for responses in both) == [[], ["async"]]


async def test_send_async_is_blinkers_name(signal):
    def wrapper(function):
        async def call(*args, **kwargs):
            return "wrapped " + function(*args, **kwargs)

        return call

    signal.connect(sync)
    signal.connect(coroutine)
    assert names(await signal.send_async(SENDER, x=1)) == ["sync", "async"]
    assert names(await signal.send_async(SENDER, x=1, _sync_wrapper=wrapper)) == ["wrapped sync", "async"]
    assert names(await signal.send_async(SENDER, x=1, _sync_wrapper=None)) == ["sync", "async"]


async def test_asend_selects_by_sender():
    signal = Signal()
    signal.connect(coroutine, "one")
    signal.connect(sync)
    assert names(await signal.asend("one")) == ["async", "sync"]
    assert names(await signal.asend("two")) == ["sync"]


async def test_a_send_after_an_asend_is_compiled(signal):
    """A nested receiver that was reached needs no care any more."""

    def nested(sender):
        return "nested"

    signal.connect(nested)
    await signal.asend()
    assert signal.send() == [(nested, "nested")]
    assert signal.send() == [(nested, "nested")]
    assert signal._table.snapshot.run.__code__.co_filename == "<torngas_signal>"
