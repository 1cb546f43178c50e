"""Routers: which alias a model lives in."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.orm import Mapped, mapped_column

from torngas_dbalchemy import ConfigError, ConnectionRouter, Connector, Model


class Main(Model):
    __tablename__ = "router_main"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


class Stats(Model):
    __tablename__ = "router_stats"
    __connection_name__ = "stats"
    id: Mapped[int] = mapped_column(primary_key=True)


class Named(Model):
    __tablename__ = "router_named"
    _database = "stats"
    id: Mapped[int] = mapped_column(primary_key=True)


class Lost(Model):
    __tablename__ = "router_lost"
    _database = "nowhere"
    id: Mapped[int] = mapped_column(primary_key=True)


LOOSE = Table(
    "router_loose", Model.metadata, Column("id", Integer, primary_key=True), info={"connection_name": "stats"}
)


class ReadOnly:
    def db_for_read(self, model, **hints):
        return "stats" if model is Main else None


class Writing:
    def db_for_write(self, model, **hints):
        return "stats" if model is Main else None


class Late:
    def db_for_read(self, model, **hints):
        return "default"

    def allow_relation(self, obj1, obj2, **hints):
        return False


@pytest.fixture
def make(tmp_path):
    made = []

    def make(*routers):
        config = {name: f"sqlite:///{tmp_path / name}.db" for name in ("default", "stats")}
        connector = Connector(config, routers=routers)
        made.append(connector)
        connector.create_db()
        return connector

    yield make
    for connector in made:
        connector.remove()
        connector.close()


def _file(session, model, **options):
    return session.get_bind(model, **options).url.database.rpartition("/")[2]


def test_models_name_their_own_database(make):
    """By `__connection_name__` or `_database`, for reads, writes, statements without models, and tables."""
    connector = make()
    with connector.get_conn().session() as session:
        assert _file(session, Main) == "default.db"
        assert _file(session, Stats) == _file(session, Named) == "stats.db"
        for model in (Main, Stats, Named):
            session.add(model(**({"name": "x"} if model is Main else {})))
        session.execute(insert(LOOSE).values(id=3))
        session.commit()
        assert session.scalar(select(Stats.__table__.c.id)) == 1
        assert session.scalar(select(LOOSE.c.id)) == 3
        assert session.scalar(text("SELECT id FROM router_stats"), bind_arguments={"alias": "stats"}) == 1
    names = {alias: connector.get_conn(alias) for alias in connector.conn_pool}
    for alias, table in (("stats", "router_stats"), ("stats", "router_loose"), ("default", "router_main")):
        with names[alias].engine.connect() as connection:
            connection.execute(text(f"SELECT * FROM {table}"))
    with names["default"].engine.connect() as connection, pytest.raises(Exception, match="no such table"):
        connection.execute(text("SELECT * FROM router_stats"))


def test_the_first_answer_wins_and_missing_methods_are_skipped(make):
    router = ConnectionRouter([Writing(), ReadOnly(), Late()], ["default", "stats"])
    assert router.db_for_read(Main) == "stats"
    assert router.db_for_read(Named) == "default"
    assert router.db_for_write(Main) == "stats"
    assert router.db_for_write(Named) == "stats"


def test_sessions_ask_the_routers(make):
    """Reads and writes separately, in a plain session and through `Q`."""
    connector = make(ReadOnly())
    with connector.scope():
        Main.session.add(Main(name="x"))
        Main.session.commit()
        with pytest.raises(Exception, match="no such table: router_main"):
            Main.Q.all()


def test_the_instance_hint_comes_before_default():
    """As in Django, `_state.db`; and where a session has loaded the instance from."""

    class State:
        db = "stats"

    class Thing:
        _state = State()

    router = ConnectionRouter([Writing()], ["default", "stats"])
    assert router.db_for_read(Thing, instance=Thing()) == "stats"
    assert router.db_for_read(Thing) == "default"
    assert router.db_for_read(Thing, instance=object()) == "default"


def test_the_instance_hint_of_a_loaded_object(make):
    connector = make()
    with connector.get_conn().session() as session:
        session.add(Stats(id=5))
        session.commit()
        stats = session.get(Stats, 5)
        assert session.alias_of(stats) == "stats"
        assert connector.router.allow_relation(stats, Named()) is True
        assert connector.router.allow_relation(stats, Main(name="x")) is False


def test_allow_relation_asks_first():
    assert ConnectionRouter([ReadOnly(), Late()]).allow_relation(Main(name="a"), Main(name="b")) is False
    assert ConnectionRouter([]).allow_relation(Main(name="a"), Main(name="b")) is True


def test_an_unknown_alias_warns_and_becomes_default(make, caplog):
    """As there; once per name, or every query would fill the log."""
    caplog.set_level(logging.WARNING, "torngas_dbalchemy")
    connector = make()
    with connector.get_conn().session() as session:
        assert _file(session, Lost) == "default.db"
        assert _file(session, Lost) == "default.db"
    found = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert found.count("nowhere not exist") == 1


def test_an_unknown_answer_of_a_router_becomes_default(make, caplog):
    class Wrong:
        def db_for_read(self, model, **hints):
            return "elsewhere"

    assert ConnectionRouter([Wrong()], ["default"]).db_for_read(Main) == "default"
    assert "elsewhere not exist" in caplog.text


def test_routers_by_dotted_path(tmp_path, monkeypatch):
    (tmp_path / "my_routers_of_test.py").write_text(
        "class Router:\n    def db_for_read(self, model, **hints):\n        return 'stats'\nready = Router()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for path in ("my_routers_of_test.Router", "my_routers_of_test.ready"):
        assert ConnectionRouter([path]).db_for_read(Main) == "stats"
    for path in ("my_routers_of_test.Nothing", "no_such_module.Router", "Router"):
        with pytest.raises(ConfigError, match="DATABASE_ROUTERS"):
            ConnectionRouter([path])


def test_tables_of_relations_live_with_their_models(tmp_path):
    from sqlalchemy.orm import relationship

    link = Table(
        "router_link",
        Model.metadata,
        Column("stats_id", ForeignKey("router_stats.id")),
        Column("named_id", ForeignKey("router_named.id")),
    )

    class Linked(Stats):
        __mapper_args__ = {"polymorphic_identity": None}
        named = relationship(Named, secondary=link)

    connector = Connector({name: f"sqlite:///{tmp_path / name}.db" for name in ("default", "stats")})
    assert link in set(connector.tables_of("stats"))
    assert link not in set(connector.tables_of("default"))
    assert isinstance(Model.metadata, MetaData)
    connector.close()
