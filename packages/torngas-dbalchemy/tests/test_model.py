"""`Model` and its class properties."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, String, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Mapped, mapped_column

from torngas_dbalchemy import BaseQuery, Connector, Database, DBAlchemyError, MetaBaseModel, Model, create_session


class Base(Model):
    __abstract__ = True
    __connection_name__ = "default"
    ID = Column("id", Integer, primary_key=True, nullable=False)


class User(Base):
    __tablename__ = "model_users"
    name = Column(String(10), nullable=False)
    password = Column(String(64), nullable=False)


class Typed(Model):
    __tablename__ = "model_typed"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(10))


@pytest.fixture
def connector(tmp_path):
    found = Connector({"default": {"connections": [{"ROLE": "master", "URL": f"sqlite:///{tmp_path / 'x.db'}"}]}})
    found.create_db()
    yield found
    found.remove()
    found.close()


def test_the_documented_way(connector):
    """Declaring, writing through the primary's session, querying, paginating."""
    session = User.session.using_master()
    session.add(User(name="jack", password="x"))
    session.commit()
    assert User.Q.filter(User.name == "jack").all()[0].ID == 1
    assert User.session.query(User).count() == 1
    assert Connector.get_session("default")["slave"].query(User).count() == 1
    assert Connector.get_session("default")["master"].query(User).count() == 1
    page = User.Q.paginate(page=1, per_page=10, default=None)
    assert (page.total, page.page, [user.name for user in page.items]) == (1, 1, ["jack"])


def test_mapped_annotations_work_alike(connector):
    Typed.session.add(Typed(name="ann"))
    Typed.session.commit()
    assert Typed.Q.one().name == "ann"
    assert Typed.session.scalars(select(Typed.name)).one() == "ann"


def test_using_master_with_and_without_the_call(connector):
    for session in (User.session.using_master, User.session.using_master()):
        session.add(User(name="x", password="y"))
        session.commit()
        assert session.query(User).filter_by(name="x").count() >= 1
        assert session.get(User, 1).name == "x"
        assert session.get_one(User, 1).name == "x"
        session.refresh(session.get(User, 1))


@pytest.mark.parametrize(("name", "hint"), [("nmae", "did you mean 'name'"), ("zzz", "expected some of")])
def test_unknown_keywords_are_refused(name, hint):
    with pytest.raises(TypeError, match=hint) as caught:
        User(**{name: 1})
    assert isinstance(caught.value, DBAlchemyError)


def test_an_instance_has_them_too(connector):
    assert isinstance(User(name="a").Q, BaseQuery)
    assert isinstance(User, MetaBaseModel)


def test_create_and_drop(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'y.db'}")
    database.create_db()
    with database.begin() as session:
        session.add(Typed(name="ann"))
    with pytest.raises(ZeroDivisionError), database.begin() as session:
        session.add(Typed(name="bob"))
        raise ZeroDivisionError
    with database.session() as session:
        assert session.scalars(select(Typed.name)).all() == ["ann"]
    database.drop_db()
    with database.session() as session, pytest.raises(Exception, match="no such table"):
        session.scalars(select(Typed)).all()
    database.connector.close()


async def test_a_database_without_settings_asynchronously(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'y.db'}")
    await database.acreate_db()
    async with database.abegin() as session:
        session.add(Typed(id=7, name="ann"))
    async with database.asession() as session:
        found = await session.get(Typed, 7)
        await session.commit()
        assert found.name == "ann", "still readable after a commit"
    assert (await Typed.aget(7)).name == "ann"
    assert await Typed.aget(8) is None
    await database.adrop_db()
    await database.connector.aclose()


def test_create_session_on_a_plain_engine(connector):
    session = create_session(connector.get_conn().engine, query_cls="torngas_dbalchemy.BaseQuery")
    assert session.query(User).paginate(1).total == 0
    session.remove()
    two_phase = create_session({User: connector.get_conn().engine}, twophase=True)
    assert two_phase().get_bind(User) is connector.get_conn().engine
    two_phase.remove()


def test_bases_of_others_work_in_a_session(tmp_path):
    from sqlalchemy.orm import DeclarativeBase

    class Other(DeclarativeBase):
        pass

    class Thing(Other):
        __tablename__ = "thing"
        id: Mapped[int] = mapped_column(primary_key=True)

    database = Database(f"sqlite:///{tmp_path / 'z.db'}")
    database.create_db(Other.metadata)
    with database.begin() as session:
        session.add(Thing())
        assert session.query(Thing).paginate(1).total == 1
    with pytest.raises(InvalidRequestError):
        Thing.metadata.reflect(database.engine, only=["model_typed"])
    database.connector.close()
