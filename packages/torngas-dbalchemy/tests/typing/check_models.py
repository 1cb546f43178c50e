"""What a type checker knows of models, sessions and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from torngas_dbalchemy import (
    BaseQuery,
    Connector,
    Database,
    KeysetPage,
    Model,
    QueryPagination,
    RoutingSession,
    paginate,
    paginate_keyset,
)


class User(Model):
    __tablename__ = "typed_users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def queries() -> None:
    assert_type(User.Q, BaseQuery[User])
    assert_type(User.Q.filter(User.id == 1).all(), list[User])
    assert_type(User.Q.paginate(1, 20), QueryPagination[User] | None)
    assert_type(User.session(), RoutingSession)
    User.session.using_master().add(User(name="x"))
    User.session.using_master.add(User(name="x"))


def sessions(database: Database, connector: Connector) -> None:
    with database.session() as session:
        assert_type(session.scalars(select(User.name)).all(), Sequence[str])
        page = paginate_keyset(session, select(User), key="k")
        assert isinstance(page, KeysetPage)
        paginate(session, select(User), page=1, count="all")  # type: ignore[call-overload]
    paginate(select(User))  # type: ignore[call-overload]
    connector.get_conn(3)  # type: ignore[arg-type]


async def asynchronous() -> None:
    assert_type(await User.aget(1), User | None)
