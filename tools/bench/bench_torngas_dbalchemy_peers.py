"""Writing, and reading from coroutines, beside plain SQLAlchemy and Flask-SQLAlchemy: CPU time per unit of work.

Each peer has a SQLite file of its own with the same table, SQLite's own settings, and a commit per unit of work, so
that durability is the same; what the disk takes is in nobody's figures. "coroutine" scenarios use aiosqlite everywhere.
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Bench, Operation
from sqlalchemy import Float, Integer, String, create_engine, delete, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from torngas_dbalchemy import Connector, Database, Model

bench = Bench("torngas-dbalchemy (writing, coroutines)", __doc__, unit="us", rounds=5, slice_seconds=0.02)
FOLDER = tempfile.mkdtemp(prefix="bench-")
atexit.register(shutil.rmtree, FOLDER)
MANY = 100


class Columns:
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    price: Mapped[float] = mapped_column(Float)


class Base(DeclarativeBase):
    pass


class Plain(Columns, Base):
    pass


class Item(Columns, Model):
    pass


def new_file(name: str) -> str:
    """A file with 50 rows; its address without a driver's name."""
    path = Path(FOLDER) / f"{name}.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Plain(name=f"item {number}", price=number / 2) for number in range(50))
        session.commit()
    engine.dispose()
    return str(path)


def repeated(work: Callable[[], object]) -> Operation:
    def run(n: int) -> None:
        for _ in range(n):
            work()

    return run


def writing(model: Any, inside: Callable[[Callable[[Any], object]], Callable[[], object]]) -> dict[str, Operation]:
    """The units of work; `inside` runs one with a session that lives as long as it."""
    prices = itertools.count()

    def insert(session: Any) -> None:
        session.add(model(name="one more", price=1.5))
        session.commit()

    def insert_many(session: Any) -> None:
        session.add_all([model(name="many", price=1.5) for _ in range(MANY)])
        session.commit()

    def update(session: Any) -> None:
        session.get(model, 7).price = next(prices)
        session.commit()

    def clear(session: Any) -> None:
        session.execute(delete(model).where(model.id > 50))
        session.commit()

    def cleared(work: Callable[[Any], object]) -> Operation:
        act, sweep = inside(work), inside(clear)

        def run(n: int) -> None:
            for _ in range(n):
                act()
            sweep()

        return run

    return {
        "insert 1, commit": cleared(insert),
        f"insert {MANY}, commit": cleared(insert_many),
        "update 1, commit": repeated(inside(update)),
    }


@bench.peer("Session", package="sqlalchemy")
def plain() -> dict[str, Operation]:
    engine = create_engine(f"sqlite:///{new_file('plain')}")

    def inside(work: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> None:
            with Session(engine) as session:
                work(session)

        return run

    return writing(Plain, inside)


@bench.peer("torngas", package="torngas-dbalchemy", differs="a scope around each unit, as around a request")
def torngas() -> dict[str, Operation]:
    connector = Connector({"default": f"sqlite:///{new_file('torngas')}"})

    def inside(work: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> None:
            with connector.scope():
                work(Item.session)

        return run

    return writing(Item, inside)


@bench.peer("flask-sqlalchemy", package="flask-sqlalchemy", differs="an application context around each unit")
def flask_sqlalchemy() -> dict[str, Operation]:
    from flask import Flask
    from flask_sqlalchemy import SQLAlchemy

    class FlaskBase(DeclarativeBase):
        pass

    db, app = SQLAlchemy(model_class=FlaskBase), Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{new_file('flask')}"

    class Row(Columns, db.Model):  # type: ignore[name-defined]
        pass

    db.init_app(app)

    def inside(work: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> None:
            with app.app_context():
                work(db.session)

        return run

    return writing(Row, inside)


def reading(model: Any, sessions: Callable[[], Any]) -> dict[str, Operation]:
    """From coroutines, a session for each unit of work."""

    async def rows(n: int) -> None:
        for _ in range(n):
            async with sessions() as session:
                (await session.scalars(select(model).limit(20))).all()

    async def by_key(n: int) -> None:
        for _ in range(n):
            async with sessions() as session:
                await session.get(model, 7)

    return {"20 rows, coroutine": rows, "by key, coroutine": by_key}


@bench.peer("AsyncSession", package="sqlalchemy aiosqlite")
def plain_coroutines() -> dict[str, Operation]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{new_file('plain-coroutines')}")
    return reading(Plain, lambda: AsyncSession(engine))


@bench.peer("torngas coroutines", package="torngas-dbalchemy")
def torngas_coroutines() -> dict[str, Operation]:
    return reading(Item, Database(f"sqlite:///{new_file('torngas-coroutines')}").asession)


if __name__ == "__main__":
    raise SystemExit(bench.run())
