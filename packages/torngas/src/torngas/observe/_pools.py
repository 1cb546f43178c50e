"""How many connections each server's pools have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from torngas.observe.queries import servers_of

if TYPE_CHECKING:
    from torngas.observe._registry import Instruments
    from torngas_dbalchemy import Connector

__all__ = ["look_at_pools"]

_Engines = dict[tuple[str, str], "WeakSet[Any]"]


def look_at_pools(connector: Connector, instruments: Instruments) -> None:
    """Makes gauges of the pools of all engines, the blocking and the asynchronous ones of a server together."""
    engines: _Engines = {}
    for alias, name, server in servers_of(connector):
        known: WeakSet[Any] = WeakSet()
        engines[alias, name] = known
        server.each_engine(known.add)
    for gauge, number in (("pool_in_use", _in_use), ("pool_size", _size), ("pool_overflow", _overflow)):
        instruments.look(gauge, partial(_looked_at, engines, number))


def _looked_at(engines: _Engines, number: Callable[[Any], int]) -> list[tuple[tuple[str, ...], float]]:
    return [(labels, sum(number(engine.pool) for engine in list(known))) for labels, known in engines.items()]


def _in_use(pool: Any) -> int:
    return int(pool.checkedout()) if hasattr(pool, "checkedout") else 0


def _size(pool: Any) -> int:
    return int(pool.size()) if hasattr(pool, "size") else 0


def _overflow(pool: Any) -> int:
    """SQLAlchemy's number begins at minus the size; below 0 it means that the pool is not full yet."""
    return max(0, int(pool.overflow())) if hasattr(pool, "overflow") else 0
