"""The choice among replicas, with a clock and dice of the test."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from torngas_dbalchemy import Connector, DBConfigParser, EngineLimits, Model
from torngas_dbalchemy.engines import Server
from torngas_dbalchemy.replicas import ReplicaSet


class Spot(Model):
    __tablename__ = "replicas_spot"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


class Bench:
    """Two replicas, weights 1 and 3, and everything that time and chance decide."""

    def __init__(self, weights=(1, 3)):
        parts = [{"ROLE": "master", "URL": "sqlite://"}]
        parts += [{"ROLE": "slave", "URL": "sqlite://", "WEIGHT": weight} for weight in weights]
        config = DBConfigParser.parse_alias("default", parts)
        self.servers = [Server(endpoint, {}, EngineLimits()) for endpoint in config.replicas]
        self.now, self.dice, self.work, self.well = 100.0, 0.0, [], True
        self.set = ReplicaSet(
            self.servers, self.probe, clock=lambda: self.now, draw=lambda: self.dice, background=self.work.append
        )

    def probe(self, server):
        if not self.well:
            raise OSError("away")

    def run(self):
        while self.work:
            self.work.pop()()


def test_the_weights_are_shares():
    bench = Bench()
    found = Counter()
    for step in range(100):
        bench.dice = step / 100
        found[bench.servers.index(bench.set.choose())] += 1
    assert found == {0: 25, 1: 75}


def test_an_ejected_replica_is_probed_in_the_background_and_returns():
    bench = Bench()
    first, second = bench.servers
    bench.set.eject(second)
    assert {bench.set.choose() for bench.dice in (0.0, 0.9)} == {first}
    assert not bench.work, "its first pause is not over"
    bench.now += 1
    assert bench.set.choose() is first, "the request does not wait for the probe"
    assert len(bench.work) == 1
    bench.set.choose()
    assert len(bench.work) == 1, "one probe at a time"
    bench.run()
    bench.dice = 0.9
    assert bench.set.choose() is second


def test_pauses_double_up_to_a_minute():
    bench = Bench()
    bench.well = False
    bench.set.eject(bench.servers[0])
    pauses = []
    for _ in range(9):
        start = bench.now
        while not bench.work:
            bench.now += 0.5
            bench.set.choose()
        pauses.append(bench.now - start)
        bench.run()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_none_is_left():
    bench = Bench()
    for server in bench.servers:
        bench.set.eject(server)
        bench.set.eject(server)
    assert bench.set.choose() is None
    assert ReplicaSet([], bench.probe).choose() is None
    assert bench.set.choose(without=bench.servers) is None


@pytest.fixture
def connector(tmp_path):
    parts = [{"ROLE": "master", "URL": f"sqlite:///{tmp_path / 'p.db'}"}]
    parts += [{"ROLE": "slave", "URL": f"sqlite:///{tmp_path / name}.db"} for name in "abc"]
    found = Connector({"default": {"connections": parts}})
    found.create_db()
    for server in found.get_conn().replicas.servers:
        Model.metadata.create_all(server.engine)
    yield found
    found.remove()
    found.close()


def test_a_request_keeps_its_replica(connector):
    """Whatever the dice say: two reads of one request see one server; other requests see others."""
    seen = set()
    for _ in range(40):
        with connector.scope() as scope:
            for _ in range(3):
                Spot.Q.all()
                Spot.session.commit()
            Spot.session.scalar(Spot.Q.statement.limit(1))
            state = scope.state(connector)
            seen.add(state.chosen["default"])
            with connector.get_conn().session() as session:
                session.query(Spot).all()
            assert state.chosen["default"] in seen
            assert len(set(state.chosen.values())) == 1
    assert len(seen) == 3
