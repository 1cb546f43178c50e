"""Read by mypy only: each assignment is a promise of one library to another."""

from torngas_cache import BaseCache
from torngas_httpmodule import HttpModuleMiddleware
from torngas_middleware.protocols import ProcessInit
from torngas_session.protocols import AsyncSessionStore, CompareAndSetStore, SessionStore


def stores(cache: BaseCache, modules: HttpModuleMiddleware) -> tuple[object, ...]:
    """Conformance is structural: no library imports another."""
    store: SessionStore = cache
    asynchronous: AsyncSessionStore = cache
    comparing: CompareAndSetStore = cache
    init: ProcessInit = modules
    return store, asynchronous, comparing, init
