"""Memory of connected receivers: functions that somebody else keeps, all on one signal, for any sender.

The functions themselves do not count.
"""

from __future__ import annotations

from typing import Any

from harness import Bench
from sizes import Fill, Sizes

bench = Bench("torngas-signal (memory)", __doc__)
sizes = Sizes(bench, "connected receivers", count=20_000)


def connecting(signal: Any, count: int) -> Fill:
    def make() -> Any:
        def receiver(sender: object, **kwargs: object) -> None: ...

        return receiver

    receivers = [make() for _ in range(count)]

    def fill() -> Any:
        for receiver in receivers:
            signal.connect(receiver)
        return signal, receivers

    return fill


@sizes.peer("torngas", package="torngas-signal")
def torngas(count: int) -> Fill:
    from torngas_signal import Signal

    return connecting(Signal(), count)


@sizes.peer("blinker", package="blinker")
def blinker(count: int) -> Fill:
    from blinker import Signal

    return connecting(Signal(), count)


@sizes.peer("django", package="django")
def django(count: int) -> Fill:
    from django.dispatch import Signal

    return connecting(Signal(), count)


if __name__ == "__main__":
    raise SystemExit(bench.run())
