"""`Model.session`: the request's session, with all methods of a session, found anew at every use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import scoped_session

from .scope import Maker, current_scope, enclosing_scope
from .session import RoutingSession
from .statements import PRIMARY

__all__ = ["PrimarySession", "ScopedSession"]


class _ContextRegistry:
    """What `scoped_session` asks for the current session; the answer is the context's."""

    def __init__(self, maker: Maker, alias: str) -> None:
        self._maker = maker
        self._alias = alias

    def __call__(self) -> RoutingSession:
        return current_scope().session(self._maker, self._alias)

    def has(self) -> bool:
        scope = enclosing_scope()
        return scope is not None and scope.has(self._maker, self._alias)

    def set(self, session: RoutingSession) -> None:
        raise NotImplementedError("the session of a context is made by its connector")

    def clear(self) -> None:
        scope = enclosing_scope()
        if scope is not None:
            scope.forget(self._maker, self._alias)


class ScopedSession(scoped_session[RoutingSession]):
    """Reads from the request's replica and writes to the primary; the whole request shares one session.

    Calling it answers the session itself. `remove()` closes it.
    """

    def __init__(self, maker: Maker, alias: str) -> None:
        self._maker = maker
        self._alias = alias
        self.session_factory = lambda **options: maker.make_session(alias, current_scope().state(maker))  # type: ignore[assignment]
        self.registry = _ContextRegistry(maker, alias)  # type: ignore[assignment]

    @property
    def using_master(self) -> PrimarySession:
        """The same session with its reads on the primary; with or without a call: `using_master()`."""
        return PrimarySession(self._maker, self._alias)

    using_primary = using_master


class PrimarySession(ScopedSession):
    """The request's session, every statement of which goes to the primary.

    Objects that the request has read from a replica before are refreshed by what is read here, so that a change is
    never made to a stale row; unflushed changes are written first.
    """

    def __call__(self, **options: Any) -> PrimarySession:  # type: ignore[override]
        """Answers itself, so that `using_master` and `using_master()` are the same."""
        return self

    @property
    def _refreshes(self) -> bool:
        session = self.registry()
        return session.autoflush and session.has_read_replica

    if not TYPE_CHECKING:  # the signatures stay those of a session

        def query(self, *entities, **options):
            """Makes a query that reads from the primary."""
            query = super().query(*entities, **options).execution_options(**{PRIMARY: True})
            return query.populate_existing() if self._refreshes else query

        def execute(self, statement, *args, **options):
            """Executes a statement on the primary."""
            return self._on_primary("execute", statement, *args, **options)

        def scalars(self, statement, *args, **options):
            """Executes a statement on the primary and answers its first column."""
            return self._on_primary("scalars", statement, *args, **options)

        def scalar(self, statement, *args, **options):
            """Executes a statement on the primary and answers its first value."""
            return self._on_primary("scalar", statement, *args, **options)

        def get(self, *args, **options):
            """Reads a row by its key from the primary."""
            return self._get("get", *args, **options)

        def get_one(self, *args, **options):
            """Reads a row by its key from the primary; raises if there is none."""
            return self._get("get_one", *args, **options)

        def refresh(self, *args, **options):
            """Reads an object anew from the primary."""
            with self.registry().on_primary():
                self.registry().refresh(*args, **options)

    def _on_primary(self, name: str, statement: Any, *args: Any, **options: Any) -> Any:
        if self._refreshes and hasattr(statement, "execution_options"):
            statement = statement.execution_options(populate_existing=True)
        method: Callable[..., Any] = getattr(self.registry(), name)
        with self.registry().on_primary():
            return method(statement, *args, **options)

    def _get(self, name: str, *args: Any, **options: Any) -> Any:
        if self._refreshes:
            options.setdefault("populate_existing", True)
        method: Callable[..., Any] = getattr(self.registry(), name)
        with self.registry().on_primary():
            return method(*args, **options)
