"""Orders, in the memory of this process, and who wants to hear of new ones."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

Size = Literal["small", "large"]


class NewOrder(msgspec.Struct, kw_only=True):
    """What a client sends."""

    product: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    size: Size = "small"


class Order(NewOrder, kw_only=True):
    """What a client gets."""

    id: int
    by: str
    version: int = 1


@dataclass
class Orders:
    """The orders by number; `news` is told of each new one."""

    found: dict[int, Order] = field(default_factory=dict)
    listeners: set[asyncio.Event] = field(default_factory=set)

    def add(self, new: NewOrder, by: str) -> Order:
        number = len(self.found) + 1
        self.found[number] = Order(id=number, by=by, **msgspec.structs.asdict(new))
        for listener in self.listeners:
            listener.set()
        return self.found[number]

    def change(self, number: int, new: NewOrder) -> Order:
        former = self.found[number]
        changed = msgspec.structs.replace(former, version=former.version + 1, **msgspec.structs.asdict(new))
        self.found[number] = changed
        return changed

    async def after(self, number: int):
        """Every order after this number, those included that are still to come."""
        news = asyncio.Event()
        self.listeners.add(news)
        try:
            while True:
                while number < len(self.found):
                    number += 1
                    yield self.found[number]
                news.clear()
                await news.wait()
        finally:
            self.listeners.discard(news)


orders = Orders()
orders.add(NewOrder(product="tea", size="large"), by="ada")
