"""`DATABASE_CONNECTION` and `SQLALCHEMY_CONFIGURATION`: what is accepted, and how the rest is refused."""

from __future__ import annotations

import logging
import traceback

import pytest
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from torngas_dbalchemy import ConfigError, Connector, Database, DBConfigParser, EngineLimits

SECRET = "s3cr3t:p@ss/word"


def _one(**parts):
    return {"default": {"connections": [{"ROLE": "master", **parts}]}}


def test_the_documented_form(tmp_path):
    """Every documented key, with empty strings for what is left open."""
    common = {"UID": "root", "PASSWD": "", "HOST": "", "PORT": 3306, "DATABASE": "", "QUERY": {"charset": "utf8"}}
    parsed = DBConfigParser.parser_engines(
        {
            "default": {
                "connections": [
                    {"ROLE": "master", "DRIVER": "mysql+pymysql", **common},
                    {"ROLE": "slave", "DRIVER": "mysql+pymysql", **common},
                ]
            }
        }
    )["default"]
    assert parsed.primary.role == "primary"
    assert str(parsed.primary.url) == "mysql+pymysql://root@:3306/?charset=utf8" or parsed.primary.url.port == 3306
    assert [replica.role for replica in parsed.replicas] == ["replica"]


@pytest.mark.parametrize(
    "config",
    ["sqlite:///x.db", {"URL": "sqlite:///x.db"}, ["sqlite:///x.db"], {"connections": [{"URL": "sqlite:///x.db"}]}],
)
def test_a_url_alone_is_a_primary(config):
    assert DBConfigParser.parse_alias("default", config).primary.url.database == "x.db"


def test_primary_and_replica_are_roles_too():
    parts = [{"ROLE": "primary", "URL": "sqlite:///p.db"}, {"ROLE": "replica", "URL": "sqlite:///r.db", "WEIGHT": 3}]
    parsed = DBConfigParser.parse_alias("default", parts)
    assert parsed.replicas[0].weight == 3


BAD = {
    "no mapping": ("nothing", "DATABASE_CONNECTION: got str"),
    "empty": ({}, "DATABASE_CONNECTION: got dict, empty"),
    "no primary": (
        {"main": {"connections": [{"ROLE": "slave", "URL": "sqlite:///x"}]}},
        r"\['main'\].*got 0 connections with ROLE 'master'",
    ),
    "two primaries": (
        {"main": {"connections": [{"ROLE": "master", "URL": "sqlite:///x"}] * 2}},
        r"\['main'\].*got 2 connections with ROLE 'master'",
    ),
    "unknown role": (_one(ROLE="boss", URL="sqlite:///x"), r"\[0\]\['ROLE'\]: got 'boss'"),
    "unknown key": (_one(PASSWORD=SECRET, DRIVER="sqlite"), r"\['PASSWORD'\]: is unknown; did you mean 'PASSWD'"),
    "unknown driver": (_one(DRIVER="oracel", UID="x"), r"\['DRIVER'\]: got driver 'oracel'"),
    "missing driver package": (_one(DRIVER="mysql+mysqldb"), r"\['DRIVER'\].*'MySQLdb'.*pip install mysqlclient"),
    "no driver": (_one(HOST="h"), r"\['DRIVER'\]: got None"),
    "bad port": (_one(DRIVER="mysql+pymysql", PORT="x"), r"\['PORT'\]: got 'x'"),
    "port out of range": (_one(DRIVER="mysql+pymysql", PORT=70000), r"\['PORT'\]: got 70000"),
    "bad query": (_one(DRIVER="sqlite", QUERY="charset=utf8"), r"\['QUERY'\]: got str"),
    "bad weight": (_one(URL="sqlite:///x", WEIGHT=0), r"\['WEIGHT'\]: got 0"),
    "bad url": (_one(URL="mysql+pymysql://root@host:s3cr3t/db"), r"\['URL'\]: cannot be read"),
    "no connections": ({"default": {"connection": []}}, r"without 'connections'"),
    "bad kwargs": ({"default": {"connections": ["sqlite://"], "kwargs": {"pool_siez": 3}}}, "did you mean 'pool_size'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configuration_names_alias_key_and_remedy(name):
    """Nothing waits for the first query, and the password is in no message and no traceback."""
    config, expected = BAD[name]
    with pytest.raises(ConfigError, match=expected) as caught:
        Connector(config)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"sqlalchemy.pool_sise": 1}, "did you mean 'pool_size'"),
        ({"sqlalchemy.poolclass": "QueuPool"}, "did you mean 'QueuePool'"),
    ],
)
def test_unknown_engine_options_are_refused(options, expected):
    with pytest.raises(ConfigError, match=expected):
        Connector({"default": "sqlite://"}, options)


def test_the_documented_engine_options_are_accepted(tmp_path):
    """The whole documented SQLALCHEMY_CONFIGURATION works, for SQLite too, which has no connect_timeout."""
    options = {
        "sqlalchemy.connect_args": {"connect_timeout": 3},
        "sqlalchemy.echo": False,
        "sqlalchemy.max_overflow": 10,
        "sqlalchemy.echo_pool": False,
        "sqlalchemy.pool_timeout": 5,
        "sqlalchemy.encoding": "utf-8",
        "sqlalchemy.pool_size": 100,
        "sqlalchemy.pool_recycle": 3600,
        "sqlalchemy.poolclass": "QueuePool",
    }
    connector = Connector({"default": f"sqlite:///{tmp_path / 'x.db'}"}, options)
    engine = connector.get_conn().engine
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.size() == 100
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    connector.close()


def test_defaults_of_the_pool(tmp_path):
    connector = Connector({"default": f"sqlite:///{tmp_path / 'x.db'}"})
    pool = connector.get_conn().engine.pool
    assert (pool.size(), pool._max_overflow, pool._timeout, pool._recycle) == (5, 10, 5, 3600)


def test_options_as_strings_and_per_alias(tmp_path):
    """Settings from files are strings; an alias may differ from the rest."""
    config = {"default": {"connections": [f"sqlite:///{tmp_path / 'x.db'}"], "kwargs": {"poolclass": "NullPool"}}}
    assert isinstance(Connector(config, {"sqlalchemy.pool_size": "7"}).get_conn().engine.pool, NullPool)
    plain = Connector({"default": f"sqlite:///{tmp_path / 'y.db'}"}, {"sqlalchemy.pool_size": "7"})
    assert plain.get_conn().engine.pool.size() == 7


def test_session_options_per_alias(tmp_path):
    config = {"connections": ["sqlite://"], "kwargs": {"session": {"expire_on_commit": False}}}
    assert Database({"default": config}).session().expire_on_commit is False


def test_memory_is_one_connection():
    assert isinstance(Database("sqlite://").engine.pool, StaticPool)


def test_no_password_in_repr_or_log(caplog):
    """Objects may be printed and logged by anybody."""
    caplog.set_level(logging.DEBUG)
    parts = {"DRIVER": "postgresql+psycopg", "UID": "me", "PASSWD": SECRET, "HOST": "127.0.0.1", "PORT": 1}
    connector = Connector(_one(**parts), limits=EngineLimits(connect_timeout=1))
    database = connector.get_conn()
    shown = [repr(database), repr(database.primary), repr(database.config), repr(database.primary.endpoint)]
    shown += [str(database.primary.endpoint), repr(connector.conn_pool), repr(database.engine)]
    with pytest.raises(Exception) as caught:
        database.engine.connect()
    shown.append("".join(traceback.format_exception(caught.value)))
    assert not [text for text in [*shown, caplog.text] if SECRET in text or "s3cr3t" in text]


@pytest.mark.parametrize("name", ["connect_timeout", "ping_timeout"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ConfigError, match=name):
        EngineLimits(**{name: 0})


@pytest.mark.parametrize(
    ("driver", "word"), [("mysql+pymysql", "connect_timeout"), ("postgresql+psycopg", "connect_timeout")]
)
def test_a_connection_attempt_takes_three_seconds_at_most(driver, word):
    from torngas_dbalchemy._drivers import connect_arguments

    url = DBConfigParser.parse_alias("a", {"DRIVER": driver, "HOST": "h"}).primary.url
    assert connect_arguments(url, {}, EngineLimits().connect_timeout)[word] == 3
