"""Which alias does a model live in? Asked of routers, as in Django.

The first router with an answer wins; a router without the method is passed over. Then the model's own name
(`__connection_name__` or `_database`) counts, then the database that the hinted instance came from, then `default`.

    class Reports:
        def db_for_read(self, model, **hints):
            return "reports" if model.__name__.startswith("Report") else None
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Collection, Iterable
from typing import Any

from .errors import ConfigError

__all__ = ["ConnectionRouter", "DEFAULT_ALIAS"]

DEFAULT_ALIAS = "default"
_log = logging.getLogger("torngas_dbalchemy")


class ConnectionRouter:
    """The routers of `DATABASE_ROUTERS` and the rules after them. Safe from every thread if the routers are.

    Args:
        routers: objects, classes, or their dotted paths; asked in this order.
        aliases: the known aliases; an answer that is none of them is logged as a warning and becomes `default`.
            None: every answer is taken as it is.
    """

    def __init__(self, routers: Iterable[Any] = (), aliases: Collection[str] | None = None) -> None:
        self.routers = tuple(_load(router) for router in routers)
        self._aliases = aliases
        self._warned: set[str] = set()

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """Answers the alias to read `model` from; `instance` among the hints is an object of it."""
        return self._ask("db_for_read", model, hints)

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Answers the alias to write `model` to."""
        return self._ask("db_for_write", model, hints)

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        """Whether the two objects may refer to each other; without an opinion, if they live in one database."""
        for router in self.routers:
            method = getattr(router, "allow_relation", None)
            if method is not None and (allowed := method(obj1, obj2, **hints)) is not None:
                return bool(allowed)
        return self.db_for_write(type(obj1), instance=obj1) == self.db_for_write(type(obj2), instance=obj2)

    def own_alias(self, model: Any, **hints: Any) -> str:
        """The answer without routers: the model's own name, the instance's database, `default`."""
        named = getattr(model, "_database", None) or getattr(model, "__connection_name__", None)
        if named and named != DEFAULT_ALIAS:
            return self.known(named)
        instance = hints.get("instance")
        return self.known(_database_of(instance) or DEFAULT_ALIAS) if instance is not None else DEFAULT_ALIAS

    def known(self, alias: str) -> str:
        """Answers the alias if it is configured, else `default`, with a warning once per name."""
        if self._aliases is None or alias in self._aliases:
            return alias
        if alias not in self._warned:
            self._warned.add(alias)
            _log.warning("%s not exist: the database alias is not configured, %r is used", alias, DEFAULT_ALIAS)
        return DEFAULT_ALIAS

    def _ask(self, action: str, model: Any, hints: dict[str, Any]) -> str:
        for router in self.routers:
            method = getattr(router, action, None)
            if method is not None and (alias := method(model, **hints)):
                return self.known(alias)
        return self.own_alias(model, **hints)


def _database_of(instance: Any) -> str | None:
    state = getattr(instance, "_state", None)
    if alias := getattr(state, "db", None):
        return str(alias)
    session: Any = getattr(getattr(instance, "_sa_instance_state", None), "session", None)
    return session.alias_of(instance) if hasattr(session, "alias_of") else None


def _load(router: Any) -> Any:
    if isinstance(router, str):
        module, _, name = router.rpartition(".")
        try:
            router = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(
                f"DATABASE_ROUTERS: {router!r} cannot be imported ({error}); expected 'module.Class' or an object."
            ) from error
    return router() if isinstance(router, type) else router
