"""Signals: time per send with 0, 1, 10 and 100 receivers, for any sender and for one, and asynchronous sends.

Every receiver is `def receiver(sender, **kwargs)`, so that blinker, Django and torngas can call the same function.
"""

import asyncio
from functools import partial

from harness import Bench

bench = Bench("torngas-signal", __doc__, rounds=15)
COUNTS = (0, 1, 10, 100)


class Sender:
    """Somebody."""


def receivers(count):
    def make():
        def receiver(sender, **kwargs):
            return None

        return receiver

    return [make() for _ in range(count)]


def async_receivers(count):
    def make():
        async def receiver(sender, **kwargs):
            return None

        return receiver

    return [make() for _ in range(count)]


def sends(send, sender, keep, n):
    for _ in range(n):
        send(sender, value=1)


async def asends(send, sender, keep, n):
    for _ in range(n):
        await send(sender, value=1)


def repeat(function, *args):
    """An operation: async ones must be recognised as such."""
    if function is asends:

        async def operation(n):
            await asends(*args, n)

        return operation
    return partial(function, *args)


def cases(make_signal, sender, send="send", asend="asend"):
    found = {}
    for count in COUNTS:
        anybody, filtered, asynchronous = make_signal(), make_signal(), make_signal()
        keep, akeep = receivers(count), async_receivers(count)
        for receiver in keep:
            anybody.connect(receiver)
            filtered.connect(receiver, sender=sender)
        for receiver in akeep:
            asynchronous.connect(receiver)
        found[f"send any {count}"] = repeat(sends, getattr(anybody, send), sender, keep)
        found[f"send sender {count}"] = repeat(sends, getattr(filtered, send), sender, keep)
        found[f"asend any {count}"] = repeat(asends, getattr(asynchronous, asend), sender, akeep)
    return found


@bench.peer("torngas", package="torngas-signal")
def torngas():
    from torngas_signal import Signal

    return cases(Signal, Sender)


@bench.peer("torngas robust")
def torngas_robust():
    from torngas_signal import Signal

    return cases(Signal, Sender, "send_robust", "asend_robust")


@bench.peer("blinker", package="blinker", differs="async receivers in turn")
def blinker():
    from blinker import Signal

    return cases(Signal, Sender, asend="send_async")


@bench.peer("django cached", package="django", differs="use_caching=True")
def django_cached():
    from django.dispatch import Signal

    return cases(partial(Signal, use_caching=True), Sender)


@bench.peer("django", package="django")
def django():
    from django.dispatch import Signal

    return cases(Signal, Sender)


@bench.peer("django cached robust", package="django", differs="use_caching=True")
def django_robust():
    from django.dispatch import Signal

    return cases(partial(Signal, use_caching=True), Sender, "send_robust", "asend_robust")


@bench.peer("floor", differs="plain calls; asyncio.gather")
def floor():
    """A list of plain calls, and asyncio.gather of the same coroutines."""
    found = {}
    for count in COUNTS:
        keep, akeep = receivers(count), async_receivers(count)

        def calls(n, keep=keep):
            for _ in range(n):
                [(r, r(Sender, value=1)) for r in keep]

        async def gather(n, keep=akeep):
            for _ in range(n):
                await asyncio.gather(*[r(Sender, value=1) for r in keep])

        found[f"send any {count}"] = found[f"send sender {count}"] = calls
        if count:
            found[f"asend any {count}"] = gather
    return found


for kind in ("any", "sender"):
    for peer in ("blinker", "django cached"):
        bench.target(f"send {kind} 0", peer="torngas", at_most=0.6, of=peer)
        for count in COUNTS[1:]:
            bench.target(f"send {kind} {count}", peer="torngas", at_most=0.25 if peer == "blinker" else 0.5, of=peer)
for count in COUNTS[1:]:
    bench.target(f"send any {count}", peer="torngas robust", at_most=0.5, of="django cached robust")
bench.target("asend any 10", peer="torngas", at_most=1.2, of="floor")

if __name__ == "__main__":
    raise SystemExit(bench.run())
