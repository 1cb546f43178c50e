"""Read by mypy only: what `Signal[P]` lets pass and what it does not."""

from __future__ import annotations

from typing import Any

from torngas_signal import ANY, Signal, receiver


class User:
    pass


def user_saved(sender: type[User], *, user: User, created: bool) -> None: ...


saved = Signal("saved", providing_args=user_saved)
untyped = Signal("untyped", providing_args=["x"])
anonymous = Signal()

saved.send(User, user=User(), created=True)
saved.send(sender=User, user=User(), created=True)
saved.send_robust(User, user=User(), created=True)
saved.send(User, usr=User(), created=True)  # type: ignore[call-arg]
saved.send(User, user=User())  # type: ignore[call-arg]
saved.send(User, user="ada", created=True)  # type: ignore[arg-type]
saved.send("web", user=User(), created=True)  # type: ignore[arg-type]
saved.send_robust(User, user=1, created=True)  # type: ignore[arg-type]


async def asynchronous() -> None:
    await saved.asend(User, user=User(), created=True)
    await saved.asend(User, user=User(), created="yes")  # type: ignore[arg-type]
    await saved.asend_robust(User, created=True)  # type: ignore[call-arg]
    await saved.send_async(User, user=User(), created=True)


@saved.connect
def exact(sender: type[User], *, user: User, created: bool) -> int:
    return 1


@saved.connect
def with_signal(signal: Signal[...], sender: type[User], *, user: User, created: bool) -> None: ...


@saved.connect
def keywords(**kwargs: Any) -> None: ...


@saved.connect(sender=User, weak=False, priority=3, once=True, dispatch_uid="x")
def sender_first(sender: type[User], **kwargs: Any) -> None: ...


@saved.connect_via(User)
def via(sender: type[User], *, user: User, created: bool) -> None: ...


@saved.connect
async def coroutine(sender: type[User], *, user: User, created: bool) -> None: ...


def wrong(sender: type[User], *, user: str, created: bool) -> None: ...


def misspelt(sender: type[User], *, usr: User, created: bool) -> None: ...


saved.connect(wrong)  # type: ignore[arg-type]
saved.connect(misspelt)  # type: ignore[arg-type]
saved.connect(sender=User)(wrong)  # type: ignore[arg-type]
saved.connect(exact, prio=1)  # type: ignore[call-overload]
number: int = exact(User, user=User(), created=False)

untyped.send(x=1)
untyped.send(None, x=1)
untyped.connect(wrong)
anonymous.send(sender=1, anything="goes")
anonymous.connect(keywords, sender=ANY)


@receiver([untyped, anonymous], sender=User)
def both(sender: type[User], **kwargs: Any) -> str:
    return ""


text: str = both(User)
saved.receiver_connected.send(saved, receiver=both, sender=ANY, weak=True)

with saved.connected_to(exact), saved.muted():
    pass

explicit: Signal[...] = Signal()
narrow: Signal[[int]] = Signal()
narrow.send(1)
narrow.send("one")  # type: ignore[arg-type]
