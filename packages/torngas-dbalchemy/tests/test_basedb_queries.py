"""basedb writes SQL: text and values apart, without a database."""

from __future__ import annotations

import datetime
import subprocess
import sys
import types
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torngas_dbalchemy import DBAlchemyError, basedb
from torngas_dbalchemy.basedb import (
    DB,
    InterpolationError,
    SQLLiteral,
    SQLParam,
    SQLQuery,
    UnknownDB,
    UnknownParamstyle,
    UnknownVariable,
    UnsafeName,
    database,
    dburl2dict,
    register_database,
    reparam,
    sqlify,
    sqllist,
    sqlors,
    sqlquote,
    sqlwhere,
)

HOSTILE = st.one_of(
    st.text(), st.sampled_from(["'; DROP TABLE t; --", "$x", "${y}", "%s", "?", ":1", "\\' OR 1=1", "100%%", "\x00"])
)


@pytest.fixture
def writer():
    return DB(None, {})


def test_all_is_sorted_and_true():
    assert basedb.__all__ == sorted(basedb.__all__)
    assert all(hasattr(basedb, name) for name in basedb.__all__)


def test_importing_loads_no_driver():
    code = "import sys, torngas_dbalchemy.basedb; print(sorted({'pymysql', 'psycopg', 'sqlite3'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("error", [UnknownDB, UnknownParamstyle, UnknownVariable, UnsafeName, InterpolationError])
def test_errors_are_of_the_family(error):
    assert issubclass(error, DBAlchemyError)


class TestQuery:
    def test_text_and_values_are_apart(self):
        query = SQLQuery(["SELECT * FROM t WHERE a=", SQLParam("joe"), " AND b=", SQLParam(1)])
        assert query.query() == "SELECT * FROM t WHERE a=%s AND b=%s"
        assert query.query("qmark") == "SELECT * FROM t WHERE a=? AND b=?"
        assert query.query("numeric") == "SELECT * FROM t WHERE a=:1 AND b=:2"
        assert query.values() == ["joe", 1]
        assert repr(query) == "<sql: \"SELECT * FROM t WHERE a='joe' AND b=1\">"

    @pytest.mark.parametrize("style", ["named", "", "QMARK"])
    def test_other_styles_are_refused(self, style):
        with pytest.raises(UnknownParamstyle, match="qmark"):
            SQLParam(1).sqlquery().query(style)

    def test_percent_signs_are_doubled_once(self):
        query = SQLQuery("a LIKE 'x%'") + " OR b LIKE 'y%%'"
        assert query.query("format") == "a LIKE 'x%%' OR b LIKE 'y%%'"
        assert query.query("qmark") == "a LIKE 'x%' OR b LIKE 'y%%'"

    def test_everything_adds_up(self):
        assert repr("a = " + SQLParam(1)) == "<sql: 'a = 1'>"
        assert repr(SQLParam(1) + " = a") == "<sql: '1 = a'>"
        assert ("a = " + SQLParam(1) + " AND " + sqlquote("x") + SQLParam(2)).values() == [1, "x", 2]
        query = SQLQuery("x")
        query += "y"
        query += SQLParam(3)
        query.append("z")
        assert repr(query) == "<sql: 'xy3z'>"
        with pytest.raises(TypeError):
            query + 1

    def test_adding_leaves_the_parts_alone(self):
        left, right = SQLQuery("a"), SQLQuery("b")
        assert repr(left + right + left) == "<sql: 'aba'>"
        assert (left.items, right.items) == (["a"], ["b"])

    def test_join(self):
        assert (
            repr(SQLQuery.join(["a", SQLParam(1), SQLQuery("b")], ", ", prefix="(", suffix=")")) == "<sql: '(a, 1, b)'>"
        )
        target = SQLQuery("x ")
        assert SQLQuery.join(["a"], target=target) is target
        assert target.query() == "x a"

    def test_equality_and_length(self):
        assert SQLQuery("a") + SQLParam(1) == SQLQuery(["a", SQLParam(1)])
        assert SQLQuery("a") != SQLQuery("b")
        assert len(SQLQuery("abc")) == 3
        assert not SQLQuery()
        assert SQLParam(1) == SQLParam(1) != SQLParam(2)

    def test_literals_are_text(self):
        assert SQLQuery(SQLParam(SQLLiteral("NOW()"))).query() == "NOW()"
        assert sqlquote(SQLLiteral("NOW()")).values() == []


class TestClauses:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (None, "NULL"), (True, "'t'"), (False, "'f'"), (3, "3"), (1.5, "1.5"), (Decimal("1.20"), "1.20"),
            ("it's", "'it''s'"), (datetime.datetime(2020, 1, 2, 3), "'2020-01-02T03:00:00'"),
        ],
    )  # fmt: skip
    def test_sqlify(self, value, shown):
        assert sqlify(value) == shown

    def test_sqllist(self):
        assert (sqllist(["a", "b"]), sqllist("a")) == ("a, b", "a")

    def test_sqlquote(self):
        assert repr("x = " + sqlquote(True) + " AND y IN " + sqlquote([2, 3])) == "<sql: \"x = 't' AND y IN (2, 3)\">"
        assert str(sqlquote({3, 2, 4})) == str(sqlquote((3, 2, 3, 4))) == "(2, 3, 4)"
        assert str(sqlquote([3, 2, 3])) == "(3, 2, 3)"
        assert sqlquote([[2, 1], [1, 1]]).query("qmark") == "((?, ?), (?, ?))"

    def test_sqlors(self):
        assert str(sqlors("foo = ", [])) == "1=2"
        assert str(sqlors("foo = ", [1])) == str(sqlors("foo = ", 1)) == "foo = 1"
        assert str(sqlors("foo = ", [1, 2, 3])) == "(foo = 1 OR foo = 2 OR foo = 3 OR 1=2)"

    def test_sqlwhere(self):
        assert str(sqlwhere((("b", 2), ("a", 3)))) == "b = 2 AND a = 3"
        assert str(sqlwhere({"b": 2, "a": 3}, ", ")) == "a = 3, b = 2"


class TestInterpolation:
    @pytest.mark.parametrize(
        ("text", "sql"),
        [
            ("a = $x", "a = 1"), ("$x", "1"), ("a = ${x} b", "a = 1 b"), ("${row.id}!", "7!"), ("$row.id.", "7."),
            ("$d['k'] $l[0] $l[-1] $l[d.n]", "'v' 5 6 6"), ("$$x $", "$x $"), ("$(a) $'", "$(a) $'"),
            ("$l[0:1]", "(5, 6)[0:1]"), ("IN $l", "IN (5, 6)"), ("${l[1]}", "6"), ("$q", "a + 1"), ("$5 $1.5", "5 1.5"),
        ],
    )  # fmt: skip
    def test_expressions(self, text, sql):
        variables = {
            "x": 1, "row": types.SimpleNamespace(id=7), "l": [5, 6], "q": SQLQuery("a + ") + SQLParam(1),
            "d": basedb.Storage(k="v", n=1),
        }  # fmt: skip
        assert str(reparam(text, variables)) == sql

    @pytest.mark.parametrize("text", ["a ${x", "${x b}", "${}", "${x + 1}", "${f(x)}"])
    def test_unfinished_expressions_are_refused(self, text):
        with pytest.raises(InterpolationError, match="unfinished"):
            reparam(text, {"x": 1})

    def test_unknown_names_are_key_errors(self):
        with pytest.raises(KeyError, match="nix"):
            reparam("a = $nix", {})

    @given(HOSTILE)
    def test_a_value_never_becomes_text(self, value):
        """The text is the same whatever the value is, and the value arrives whole."""
        query = reparam("a = $x AND b IN $l", {"x": value, "l": [value, value]})
        assert query.query("qmark") == "a = ? AND b IN (?, ?)"
        assert query.values() == [value] * 3

    @given(st.text())
    def test_text_without_dollars_stays(self, text):
        assert reparam(text.replace("$", "$$"), {}).query() == text


class TestStatements:
    def test_select(self, writer):
        assert str(writer.select("foo", _test=True)) == "SELECT * FROM foo"
        found = writer.select(
            ["foo", "bar"],
            {"x": 1},
            what="a, b",
            where="a = $x",
            group="a",
            order="b DESC",
            limit=5,
            offset=2,
            _test=True,
        )
        assert found.query() == ("SELECT a, b FROM foo, bar WHERE a = %s GROUP BY a ORDER BY b DESC LIMIT %s OFFSET %s")
        assert found.values() == [1, 5, 2]

    @pytest.mark.parametrize(
        ("where", "sql"),
        [
            (5, "id = 5"), ({"id": 5}, "id = 5"), ({"b": 1, "a": "x"}, "a = 'x' AND b = 1"), ("a = 1", "a = 1"),
            (SQLQuery("a = ") + SQLParam(1), "a = 1"), ({"a": None, "b": [1, 2]}, "a IS NULL AND b IN (1, 2)"),
        ],
    )  # fmt: skip
    def test_conditions(self, writer, where, sql):
        assert str(writer.select("t", where=where, _test=True)) == f"SELECT * FROM t WHERE {sql}"
        assert str(writer.delete("t", where=where, _test=True)) == f"DELETE FROM t WHERE {sql}"
        assert str(writer.update("t", where=where, x=1, _test=True)) == f"UPDATE t SET x = 1 WHERE {sql}"

    @pytest.mark.parametrize("where", [{}, "", None])
    def test_no_condition_is_left_out_of_select_and_refused_elsewhere(self, writer, where):
        assert str(writer.select("t", where=where, _test=True)) == "SELECT * FROM t"
        with pytest.raises(ValueError, match="1=1"):
            writer.delete("t", where=where, _test=True)
        with pytest.raises(ValueError, match="1=1"):
            writer.update("t", where=where, a=1, _test=True)

    def test_where(self, writer):
        assert str(writer.where("foo", source=2, crust="dewey", _test=True)) == (
            "SELECT * FROM foo WHERE crust = 'dewey' AND source = 2"
        )
        assert str(writer.where("foo", _test=True)) == "SELECT * FROM foo"

    def test_query(self, writer):
        assert str(writer.query("a = $x", vars={"x": "f"}, _test=True)) == "a = 'f'"
        assert str(writer.query("a = $x", processed=True, _test=True)) == "a = $x"
        assert str(writer.query("a = " + sqlquote("f"), _test=True)) == "a = 'f'"

    def test_insert(self, writer):
        query = writer.insert("foo", name="bob", age=2, created=SQLLiteral("NOW()"), _test=True)
        assert query.query() == "INSERT INTO foo (age, created, name) VALUES (%s, NOW(), %s)"
        assert query.values() == [2, "bob"]
        assert str(writer.insert("foo", _test=True)) == "INSERT INTO foo DEFAULT VALUES"

    def test_multiple_insert(self, writer):
        rows = [{"name": "a", "age": 1}, {"name": "b", "age": 2}]
        assert list(map(str, writer.multiple_insert("t", rows, _test=True))) == [
            "INSERT INTO t (age, name) VALUES (1, 'a')",
            "INSERT INTO t (age, name) VALUES (2, 'b')",
        ]
        writer.supports_multiple_insert = True
        assert str(writer.multiple_insert("t", rows, _test=True)) == (
            "INSERT INTO t (age, name) VALUES (1, 'a'), (2, 'b')"
        )
        with pytest.raises(ValueError, match="same columns"):
            writer.multiple_insert("t", [{"a": 1}, {"b": 1}])
        assert writer.multiple_insert("t", []) == []

    def test_update_and_delete(self, writer):
        query = writer.update(
            "foo", where="name = $name", name="bob", age=2, created=SQLLiteral("NOW()"), vars={"name": "Jo"}, _test=True
        )
        assert query.query() == "UPDATE foo SET age = %s, created = NOW(), name = %s WHERE name = %s"
        assert query.values() == [2, "bob", "Jo"]
        assert str(writer.delete("a", where="a.x = b.x", using=["b", "c"], _test=True)) == (
            "DELETE FROM a USING b, c WHERE a.x = b.x"
        )

    @pytest.mark.parametrize("name", ["a) VALUES (1); --", "a = 1 OR b", "", "a b", 'a"', "a--"])
    def test_column_names_are_names(self, writer, name):
        """Keywords often come from a form: what is no name must not become SQL."""
        for call in (
            lambda: writer.insert("t", _test=True, **{name: 1}),
            lambda: writer.multiple_insert("t", [{name: 1}], _test=True),
            lambda: writer.update("t", where=1, _test=True, **{name: 1}),
            lambda: writer.where("t", _test=True, **{name: 1}),
            lambda: writer.delete("t", where={name: 1}, _test=True),
        ):
            with pytest.raises(UnsafeName):
                call()

    @pytest.mark.parametrize("name", ["t.a", '"a b"', "`order`", "größe", "a$1"])
    def test_quoted_and_qualified_names_are_names(self, writer, name):
        assert str(writer.where("t", _test=True, **{name: 1})) == f"SELECT * FROM t WHERE {name} = 1"

    def test_a_limit_is_a_parameter(self, writer):
        query = writer.select("t", limit="1; DROP TABLE t", offset="7", _test=True)
        assert query.query() == "SELECT * FROM t LIMIT %s OFFSET %s"
        assert query.values() == ["1; DROP TABLE t", 7]
        assert str(writer.select("t", limit=0, _test=True)) == "SELECT * FROM t LIMIT 0"

    def test_without_a_connection_nothing_is_executed(self, writer):
        with pytest.raises(DBAlchemyError, match="database"):
            writer.select("t")


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("postgres:///db", {"pw": None, "dbn": "postgres", "db": "db", "host": None, "user": None, "port": None}),
            (
                "mysql://jam%2Fes:d%40%3Ay@h.example:3307/my%20db",
                {"pw": "d@:y", "dbn": "mysql", "db": "my db", "host": "h.example", "user": "jam/es", "port": 3307},
            ),
            ("sqlite:///a%20b.db", {"db": "a b.db", "dbn": "sqlite"}),
            ("sqlite:////absolute/a.db", {"db": "/absolute/a.db", "dbn": "sqlite"}),
            ("sqlite:///a.db?timeout=3", {"db": "a.db", "dbn": "sqlite", "timeout": "3"}),
        ],
    )
    def test_parts_are_decoded(self, url, expected):
        assert dburl2dict(url) == expected

    def test_a_driver_may_be_named(self):
        assert dburl2dict("mysql+pymysql://h/d")["driver"] == "pymysql"

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_any_password_survives(self, user, password):
        from urllib.parse import quote

        found = dburl2dict(f"mysql://{quote(user, safe='')}:{quote(password, safe='')}@h/d")
        assert (found["user"], found["pw"]) == (user, password)


class TestRegistry:
    @pytest.mark.parametrize("name", ["oracel", None, ""])
    def test_unknown_databases_are_named(self, name):
        with pytest.raises(UnknownDB, match="sqlite"):
            database(dbn=name, db="x")

    def test_the_environment_names_the_database(self, monkeypatch, tmp_path):
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/env.db")
        assert database().query("SELECT 1 AS one")[0].one == 1
        monkeypatch.delenv("DATABASE_URL")
        with pytest.raises(UnknownDB):
            database()

    def test_register_database(self):
        class LegacyDB(DB):
            def __init__(self, **params):
                super().__init__(None, params)

        register_database("legacy_of_the_test", LegacyDB)
        db = database(dbn="legacy_of_the_test", db="test", user="joe")
        assert db.keywords == {"db": "test", "user": "joe"}

    def test_the_password_is_not_shown(self):
        db = database("postgres://ann:secret@127.0.0.1:1/blog")
        assert "secret" not in repr(db)
        with pytest.raises(ConnectionError) as caught:
            db.query("SELECT 1")
        assert "secret" not in str(caught.value)

    def test_a_missing_driver_is_named(self):
        with pytest.raises(DBAlchemyError, match="mysqlclient"):
            database(dbn="mysql", db="x", driver="MySQLdb")
