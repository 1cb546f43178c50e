"""basedb on SQLite, MariaDB and PostgreSQL: the same calls, the same answers."""

from __future__ import annotations

import datetime
import logging
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torngas_dbalchemy.basedb import SQLLiteral, Storage, database, sqlors

KEYS = {
    "sqlite": "INTEGER PRIMARY KEY",
    "mysql": "INTEGER AUTO_INCREMENT PRIMARY KEY",
    "postgres": "SERIAL PRIMARY KEY",
}


def of_cluster(cluster, **keywords):
    parts = cluster.primary_parts()
    dbn = parts["DRIVER"].partition("+")[0]
    names = {"user": "UID", "pw": "PASSWD", "host": "HOST", "port": "PORT"}
    given = {name: parts[key] for name, key in names.items() if key in parts}
    return database(dbn=dbn, db=parts["DATABASE"], **given, **keywords)


@pytest.fixture
def db(cluster):
    found = of_cluster(cluster)
    for table in ("bperson", "bplain", "btext"):
        found.query(f"DROP TABLE IF EXISTS {table}")
    engine = " ENGINE=InnoDB CHARACTER SET utf8mb4" if found.dbname == "mysql" else ""
    found.query(f"CREATE TABLE bperson (id {KEYS[found.dbname]}, name VARCHAR(200), active BOOLEAN){engine}")
    found.query(f"CREATE TABLE bplain (name VARCHAR(200), born TIMESTAMP NULL){engine}")
    yield found
    found.close()


def names(db):
    return [row.name for row in db.select("bperson", order="id")]


def test_insert_answers_ids(db):
    assert db.insert("bperson", name="a") == 1
    assert db.insert("bperson", name="b", active=True) == 2
    assert db.multiple_insert("bperson", [{"name": "c"}, {"name": "d"}, {"name": "e"}]) == [3, 4, 5]
    assert db.multiple_insert("bperson", [{"name": "f"}], seqname=False) is None
    assert db.insert("bperson", seqname=False, name="g") is None
    assert names(db) == list("abcdefg")


def test_insert_without_values(db):
    assert db.insert("bperson") == 1
    assert db.select("bperson")[0] == {"id": 1, "name": None, "active": None}
    assert db.multiple_insert("bperson", [{}, {}]) == [2, 3]


def test_a_sequence_may_be_named(db):
    if db.dbname == "postgres":
        assert db.insert("bperson", seqname="bperson_id_seq", name="a") == 1
        assert db.multiple_insert("bperson", [{"name": "b"}, {"name": "c"}], seqname="bperson_id_seq") == [2, 3]
        with pytest.raises(db.db_module.Error):
            db.insert("bperson", seqname="nix'); DROP TABLE bperson; --", name="b")
        assert names(db) == ["a", "b", "c"]
    else:
        assert db.insert("bperson", seqname="ignored", name="a") == 1


def test_the_key_is_found_anew_after_the_table_changed(db):
    db.insert("bperson", name="a")
    db.query("DROP TABLE bperson")
    db.query(f"CREATE TABLE bperson (other {KEYS[db.dbname]}, name VARCHAR(20))")
    assert db.insert("bperson", name="a") == 1


def test_a_table_without_key_inserts_too(db):
    db.insert("bplain", name="a")
    db.multiple_insert("bplain", [{"name": "b"}, {"name": "c"}])
    assert len(db.select("bplain")) == 3


def test_many_rows_go_in_together(db):
    """More values than a statement may have parameters."""
    count = 31_000 if db.dbname != "sqlite" else 2_000
    ids = db.multiple_insert("bperson", [{"name": "x", "active": True} for _ in range(count)])
    assert ids == list(range(1, count + 1))
    assert db.query("SELECT count(*) AS n FROM bperson")[0].n == count


def test_multiple_insert_is_all_or_nothing(db):
    with pytest.raises(db.db_module.Error):
        db.multiple_insert("bperson", [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}])
    assert names(db) == []


def test_select_and_rows(db):
    db.multiple_insert("bperson", [{"name": name} for name in "abcd"])
    rows = db.select("bperson", where="name <> $n", vars={"n": "b"}, order="id", what="id, name")
    assert len(rows) == 3
    assert rows
    assert isinstance(rows[0], Storage)
    assert rows[0].name == rows[0]["name"] == "a"
    assert [row.name for row in rows] == ["c", "d"]  # an iterator goes on behind what was read
    assert rows.list() == []
    assert rows[-1].id == 4
    assert [row.id for row in rows[:2]] == [1, 3]
    with pytest.raises(IndexError):
        rows[3]


def test_list_first_and_truth(db):
    assert not db.select("bperson")
    assert db.select("bperson").first() is None
    assert db.select("bperson").first(default=7) == 7
    db.multiple_insert("bperson", [{"name": "a"}, {"name": "b"}])
    assert db.select("bperson", order="id").first().name == "a"
    assert [row.name for row in db.select("bperson", order="id").list()] == ["a", "b"]
    assert next(db.select("bperson", order="id DESC")).name == "b"
    with pytest.raises(AttributeError):
        _ = db.select("bperson").first().nix


@pytest.mark.parametrize("values", [[], (), set()])
def test_an_empty_list_contains_nothing(db, values):
    db.multiple_insert("bperson", [{"name": "a"}, {"name": None}])
    given = {"v": values}
    assert not db.select("bperson", where="name IN $v", vars=given)
    assert not db.select("bperson", where="id in $v AND 1=1", vars=given)
    assert len(db.select("bperson", where="name NOT IN $v", vars=given)) == 2
    assert len(db.select("bperson", where="NOT id IN ${v}", vars=given)) == 2
    assert not db.where("bperson", id=values)
    assert db.delete("bperson", where="id IN $v", vars=given) == 0


def test_lists_expand(db):
    db.multiple_insert("bperson", [{"name": name} for name in "abcd"])
    assert len(db.select("bperson", where="id IN $ids", vars={"ids": [1, 3, 99]})) == 2
    assert len(db.where("bperson", name=["a", "b"], id={1, 2, 3})) == 2
    assert len(db.select("bperson", where=sqlors("name = ", ["a", "d"]))) == 2


def test_limit_and_offset(db):
    db.multiple_insert("bperson", [{"name": name} for name in "abcd"])
    assert [row.name for row in db.select("bperson", order="id", limit="2", offset=1)] == ["b", "c"]
    assert [row.name for row in db.select("bperson", order="id", offset=3)] == ["d"]
    assert not db.select("bperson", limit=0)
    with pytest.raises(db.db_module.Error):
        db.select("bperson", limit="1; DELETE FROM bperson")
    assert len(names(db)) == 4


def test_update_and_delete_answer_counts(db):
    db.multiple_insert("bperson", [{"name": name} for name in "abc"])
    assert db.update("bperson", where="id > $i", vars={"i": 1}, name="x") == 2
    assert db.update("bperson", where="id > $i", vars={"i": 1}, name="x") == 2  # rows matched, changed or not
    assert db.update("bperson", where=1, name=SQLLiteral("upper(name)")) == 1
    assert names(db) == ["A", "x", "x"]
    assert db.delete("bperson", where={"name": "x"}) == 2
    assert db.query("DELETE FROM bperson") == 1


def test_booleans_percent_signs_and_dates(db):
    moment = datetime.datetime(2020, 2, 29, 12, 30, 1)
    db.insert("bplain", name="100%", born=moment)
    assert db.select("bplain", where="name LIKE '%00%' AND born = $b", vars={"b": moment})[0].born == moment
    for active in (True, False):
        key = db.insert("bperson", active=active)
        assert db.select("bperson", where=key)[0].active == active


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
NASTY = st.sampled_from(
    [
        "'; DROP TABLE bperson; --",
        "\\'; --",
        '" OR ""="',
        "%s %(a)s",
        "? :1 $1",
        "$x ${x} $$",
        "a\\",
        "/* */ #",
        "😀\u2028",
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS | NASTY)
def test_hostile_values_come_back_as_they_were(db, value):
    """Through every way a value can go in; and nothing else happens."""
    db.delete("bperson", where="1=1")
    key = db.insert("bperson", name=value)
    (other,) = db.multiple_insert("bperson", [{"name": value}])
    assert db.update("bperson", where="id = $key", vars={"key": other}, name=value) == 1
    assert {row.id for row in db.select("bperson", where="name = $v", vars={"v": value})} >= {key, other}
    assert {row.id for row in db.where("bperson", name=[value, "x"])} >= {key, other}
    assert db.query("SELECT name FROM bperson WHERE id = ${k}", vars={"k": key})[0].name == value
    assert db.delete("bperson", where={"name": value}) == 2


def test_a_wrong_query_does_no_harm(db):
    with pytest.raises(db.db_module.Error):
        db.select("notthere")
    with pytest.raises(db.db_module.DatabaseError):
        db.query("SELEC 1")
    assert not db.select("bperson")
    assert db.engine.pool.checkedout() == 0


def test_printing_logs_queries(db, caplog):
    caplog.set_level(logging.INFO, "torngas_dbalchemy")
    db.insert("bplain", name="quiet")
    assert not caplog.records
    db.printing = True
    db.insert("bplain", seqname=False, name="loud")
    with pytest.raises(db.db_module.Error):
        db.select("nix")
    assert "INSERT INTO bplain (name) VALUES ('loud')" in caplog.text
    assert "ERR: SELECT * FROM nix" in caplog.text


def test_threads_share_a_database(db):
    def work():
        for _ in range(10):
            db.insert("bperson", name="x")
            db.select("bperson", limit=3).list()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(names(db)) == 40
    assert db.engine.pool.checkedout() == 0


def test_the_pool_can_be_off_or_sized(cluster):
    with of_cluster(cluster, pooling=False) as unpooled:
        assert type(unpooled.engine.pool).__name__ == "NullPool"
        assert unpooled.query("SELECT 1 AS one")[0].one == 1
    with of_cluster(cluster, pool_size=2, max_overflow=0) as small:
        assert small.engine.pool.size() == 2
    small.close()


def test_a_lost_connection_is_replaced(server_cluster):
    with of_cluster(server_cluster) as db:
        assert db.query("SELECT 1 AS one")[0].one == 1
        server_cluster.kill_connections("primary")
        assert db.query("SELECT 2 AS two")[0].two == 2


def test_memory_databases_are_shared_by_threads():
    db = database("sqlite://")
    db.query("CREATE TABLE t (a)")
    thread = threading.Thread(target=db.insert, args=("t",), kwargs={"a": 1})
    thread.start()
    thread.join()
    assert db.select("t").list() == [{"a": 1}]
    db.close()
