"""Whoever wrote reads it, whatever the replica has replayed."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from torngas_dbalchemy import ConfigError, Connector, Consistency, Model, Pin
from torngas_dbalchemy.consistency import RequestState, has_reached, position_of


class Note(Model):
    __tablename__ = "ryw_note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(40))


def _write(connector, text="mine"):
    """A request that writes; answers the token for the user's next request."""
    with connector.scope() as scope:
        Note.session.add(Note(text=text))
        Note.session.commit()
        return scope.state(connector).token()


def _read(connector, token=None):
    with connector.scope() as scope:
        scope.state(connector).restore(token, connector.consistency)
        return [note.text for note in Note.Q.all()]


@pytest.mark.promise(27)
def test_promise_27_the_writer_sees_the_write_while_replay_is_paused(server_cluster, tools):
    """The writer reads from the primary, others from the replica; once it has caught up, the writer too."""
    connector = Connector(server_cluster.config(), limits=tools.LIMITS)
    with tools.prepared(connector, server_cluster):
        log = tools.StatementLog(connector)
        server_cluster.pause()
        try:
            token = _write(connector)
            log.entries.clear()
            assert _read(connector, token) == ["mine"]
            assert log.roles == ["primary"]
            log.entries.clear()
            assert _read(connector) == [], "somebody else reads from the paused replica"
            assert log.roles == ["replica"]
        finally:
            server_cluster.resume()
        server_cluster.catch_up()
        log.entries.clear()
        assert _read(connector, token) == ["mine"]
        assert log.roles == ["replica"], "the replica has caught up with the position"


@pytest.mark.promise(27)
def test_promise_27_the_same_session_sees_its_write_after_commit(connector, cluster, log):
    """Without any token: within one session, and within one request."""
    with connector.get_conn().session() as session:
        session.add(Note(text="mine"))
        session.commit()
        assert session.scalars(select(Note.text)).all() == ["mine"]
    with connector.scope():
        Note.session.add(Note(text="again"))
        Note.session.commit()
        assert sorted(note.text for note in Note.Q) == ["again", "mine"]


@pytest.mark.promise(27)
async def test_promise_27_asynchronous_sessions_keep_it_too(server_cluster, tools):
    connector = Connector(server_cluster.config(), limits=tools.LIMITS)
    with tools.prepared(connector, server_cluster):
        server_cluster.pause()
        try:
            async with connector.scope(), connector.get_conn().asession() as session:
                session.add(Note(text="mine"))
                await session.commit()
                assert (await session.scalars(select(Note.text))).all() == ["mine"]
            async with connector.get_conn().asession() as other:
                assert (await other.scalars(select(Note.text))).all() == []
        finally:
            server_cluster.resume()
        await connector.aclose()


def test_a_pin_by_time_ends_with_its_seconds(sqlite_cluster, tools):
    """Where a server has no positions the clock decides."""
    now = [1000.0]
    policy = Consistency(pin_seconds=5, clock=lambda: now[0])
    connector = Connector(sqlite_cluster.config(), consistency=policy)
    with tools.prepared(connector, sqlite_cluster):
        token = _write(connector)
        now[0] += 4.9
        assert _read(connector, token) == ["mine"]
        now[0] += 0.2
        assert _read(connector, token) == []


def test_mode_time_asks_no_server_for_positions(server_cluster, tools):
    connector = Connector(server_cluster.config(), limits=tools.LIMITS, consistency=Consistency(mode="time"))
    with tools.prepared(connector, server_cluster), connector.scope() as scope:
        Note.session.add(Note(text="mine"))
        Note.session.commit()
        assert scope.state(connector).pins["default"].position is None


def test_mode_off_reads_from_the_replica_at_once(sqlite_cluster, tools):
    connector = Connector(sqlite_cluster.config(), consistency=Consistency(mode="off"))
    with tools.prepared(connector, sqlite_cluster):
        assert _write(connector) is None
        assert _read(connector) == []


def test_a_read_makes_no_pin(connector, log):
    with connector.scope() as scope:
        Note.Q.all()
        Note.session.commit()
        assert scope.state(connector).token() is None


@pytest.mark.parametrize("token", ["", "?", "e30", "bnVsbA", "W1tdXQ", "W1siYSIsICJ4IiwgMV1d", "A" * 9000, "äöü"])
def test_a_token_of_rubbish_is_no_pin(token):
    """A user may send anything; nothing raises and nothing binds."""
    state = RequestState()
    state.restore(token, Consistency())
    assert state.pins == {}


def test_a_forged_token_binds_no_longer_than_the_policy_allows():
    state = RequestState()
    state.pins["default"] = Pin(deadline=time.time() + 10**9)
    state.pins["other"] = Pin(deadline=time.time() + 10**9, position="0-1-1")
    found = RequestState()
    found.restore(state.token(), Consistency(pin_seconds=10, position_seconds=60))
    assert found.pins["default"].deadline <= time.time() + 10
    assert found.pins["other"].deadline <= time.time() + 60


@pytest.mark.parametrize("position", ["'; DROP TABLE ryw_note; --", "0/0/0", "1-1", "", "999999-1-1"])
def test_a_forged_position_only_costs_its_sender(server_cluster, tools, position):
    """What is no position of the server is never reached: its sender reads from the primary."""
    connector = Connector(server_cluster.config(), limits=tools.LIMITS)
    with tools.prepared(connector, server_cluster):
        log = tools.StatementLog(connector)
        with connector.scope() as scope:
            scope.state(connector).pins["default"] = Pin(deadline=time.time() + 60, position=position)
            assert Note.Q.count() == 0
            assert log.roles == ["primary"]


@pytest.mark.parametrize("options", [{"mode": "never"}, {"pin_seconds": -1}, {"position_seconds": -0.1}])
def test_an_impossible_policy_is_refused(options):
    with pytest.raises(ConfigError, match=r"got .*; expected"):
        Consistency(**options)


SERVER = "3e11fa47-71ca-11e1-9e33-c80aa9429562"


class _MySQL:
    """Answers the two questions as MySQL's manual describes them; MySQL itself is not to be had here."""

    dialect = SimpleNamespace(name="mysql", is_mariadb=False)

    def __init__(self, executed):
        self._executed = executed

    def execute(self, statement, parameters=None):
        answers = {
            "SELECT @@GLOBAL.gtid_executed": lambda: self._executed,
            "SELECT GTID_SUBSET(:position, @@GLOBAL.gtid_executed)": lambda: int(
                self._last(parameters["position"]) <= self._last(self._executed)
            ),
        }
        return SimpleNamespace(scalar=answers[str(statement)])

    @staticmethod
    def _last(position):
        return int(position.rpartition("-")[2])


def test_mysql_is_asked_for_its_own_sets():
    """A replica has reached a write when the writer's set is a part of its own."""
    position = position_of(_MySQL(f"{SERVER}:1-7"))
    assert position == f"{SERVER}:1-7"
    assert not has_reached(_MySQL(f"{SERVER}:1-6"), position)
    assert has_reached(_MySQL(f"{SERVER}:1-8"), position)


@pytest.mark.parametrize("executed", ["", None, ",\n".join([f"{SERVER}:1-7"] * 200)])
def test_without_a_position_that_fits_a_cookie_the_clock_must_do(executed):
    """GTIDs that are off, or of very many servers."""
    assert position_of(_MySQL(executed)) is None
