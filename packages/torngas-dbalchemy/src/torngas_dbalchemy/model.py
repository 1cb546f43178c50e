"""`Model`, the base of declared tables, with a query and a session on every class.

    class User(Model):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)  # or: id = Column(Integer, primary_key=True)
        name: Mapped[str]

    User.Q.filter(User.name == "ann").paginate(page=1, per_page=10)
    session = User.session.using_master()

Declaring models needs no configuration; the database is looked up when `Q` or a session is used.
"""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.decl_api import DeclarativeAttributeIntercept

from ._mapped import METADATA, REGISTRY
from .connector import get_connector
from .errors import UnknownAttribute
from .pages import AsyncPagination, apaginate
from .query import BaseQuery
from .routers import DEFAULT_ALIAS
from .scope import current_scope, enclosing_scope
from .scoped import ScopedSession
from .session import RoutingAsyncSession

__all__ = ["MetaBaseModel", "Model"]

T = TypeVar("T", bound="Model")


class MetaBaseModel(DeclarativeAttributeIntercept):
    """The class of `Model` and of every model; it maps the class when its body is done."""


class _Query:
    def __get__(self, instance: T | None, owner: type[T]) -> BaseQuery[T]:
        connector = get_connector()
        return BaseQuery(owner, current_scope().session(connector, connector.alias_for(owner)))


class _Session:
    def __get__(self, instance: Model | None, owner: type[Model]) -> ScopedSession:
        connector = get_connector()
        return connector.scoped_session(connector.alias_for(owner))


class _AsyncSession:
    def __get__(self, instance: Model | None, owner: type[Model]) -> RoutingAsyncSession:
        scope, connector = enclosing_scope(), get_connector()
        if scope is None or not scope.is_entered:
            raise RuntimeError(
                f"{owner.__name__}.asession: got no request to belong to; expected one, as nothing else would close "
                "it. Use `async with connector.scope():` or `async with db.asession() as session:`."
            )
        return scope.asession(connector, connector.alias_for(owner))


class Model(DeclarativeBase, metaclass=MetaBaseModel):
    """The base of declared tables.

    Attributes:
        Q: a query on the class; reads from the request's replica.
        session: the request's session: `session.add(…)`, `session.commit()`; `session.using_master()` reads from the
            primary.
        asession: the asynchronous session of the running task, inside a request.
        __connection_name__: the alias in `DATABASE_CONNECTION`; `_database` means the same.
    """

    __abstract__ = True
    __connection_name__ = DEFAULT_ALIAS
    __table_args__: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
    registry = REGISTRY
    metadata = METADATA
    Q = _Query()
    session = _Session()
    asession = _AsyncSession()

    def __init__(self, **values: Any) -> None:
        """Sets the given attributes.

        Raises:
            UnknownAttribute: a keyword that the model does not have; a TypeError.
        """
        kind = type(self)
        for name, value in values.items():
            if not hasattr(kind, name):
                raise UnknownAttribute(_unknown(kind, name))
            setattr(self, name, value)

    @classmethod
    async def aget(cls: type[T], ident: Any, **options: Any) -> T | None:
        """Answers the row with this primary key, or None, without blocking the loop; options as of `Session.get`.

        Inside a request the object belongs to the task's session, elsewhere it is detached.
        """
        if _in_request():
            return await cls.asession.get(cls, ident, **options)
        async with _new_session(cls) as session:
            return await session.get(cls, ident, **options)

    @classmethod
    async def apaginate(
        cls: type[T], page: Any = None, *, select: Select[Any] | None = None, **options: Any
    ) -> AsyncPagination[T]:
        """Answers a page of the class's rows, by primary key, or of `select`; options as of `paginate`."""
        statement = _by_key(cls) if select is None else select
        if _in_request():
            return await apaginate(cls.asession, statement, page=page, **options)
        async with _new_session(cls) as session:
            return await apaginate(session, statement, page=page, **options)


def _in_request() -> bool:
    scope = enclosing_scope()
    return scope is not None and scope.is_entered


def _by_key(model: type[Model]) -> Select[Any]:
    return select(model).order_by(*model.__mapper__.primary_key)


def _new_session(model: type[Model]) -> RoutingAsyncSession:
    connector = get_connector()
    return connector.new_async_session(connector.alias_for(model))


def _unknown(kind: type[Model], name: str) -> str:
    known = sorted(kind.__mapper__.attrs.keys())
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"expected some of {', '.join(known)}."
    return f"{kind.__name__}(): got {name!r}, which it does not have; {hint}"
