"""torngas-dbalchemy beside plain SQLAlchemy and Flask-SQLAlchemy, on a SQLite file: rows, pages, sessions, routing.

`Model.Q` is a query, so its yardstick is `session.query()`; `select()` stands beside it. Pages are number 3 of 50,
where the total must really be counted. Their yardstick is the quickest that one writes by hand for this very table,
`select(func.count()).select_from(Plain)`; "page, subquery" counts over the statement instead, as hand-written code for
any statement does. "page, no count" of the Session is the items alone with one row more: no page can cost less.
"routed" has a primary and a replica, so that every statement is judged. What is read lives until its session is closed.
"""

import atexit
import shutil
import tempfile
import time
from pathlib import Path

from harness import Bench
from sqlalchemy import Float, Integer, String, create_engine, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

from torngas_dbalchemy import Connector, Model, configure, paginate
from torngas_dbalchemy.basedb import database

bench = Bench("torngas-dbalchemy", __doc__, unit="us", slice_seconds=0.06, clock=time.process_time)
FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER)
PATH = Path(FOLDER) / "bench.db"


class Base(DeclarativeBase):
    pass


class Plain(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    price: Mapped[float] = mapped_column(Float)


class Item(Model):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    price: Mapped[float] = mapped_column(Float)


engine = create_engine(f"sqlite:///{PATH}")
Base.metadata.create_all(engine)
with Session(engine) as filling:
    filling.add_all(Plain(name=f"item {i}", price=i * 1.5) for i in range(1000))
    filling.commit()


def repeat(function):
    def run(n):
        for _ in range(n):
            function()

    function()
    return run


@bench.peer("Session", package="sqlalchemy")
def plain():
    def rows():
        with Session(engine) as session:
            return session.scalars(select(Plain).limit(20)).all()

    def query():
        with Session(engine) as session:
            return session.query(Plain).limit(20).all()

    def page():
        with Session(engine) as session:
            items = session.scalars(select(Plain).order_by(Plain.id).limit(20).offset(40)).all()
            return items, session.scalar(select(func.count()).select_from(Plain))

    def subquery_page():
        with Session(engine) as session:
            statement = select(Plain).order_by(Plain.id)
            items = session.scalars(statement.limit(20).offset(40)).all()
            return items, session.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))

    def query_page():
        with Session(engine) as session:
            items = session.query(Plain).order_by(Plain.id).limit(20).offset(40).all()
            return items, session.query(func.count()).select_from(Plain).scalar()

    def filtered_page():
        with Session(engine) as session:
            items = session.scalars(select(Plain).where(Plain.id > 9).order_by(Plain.id).limit(20).offset(40)).all()
            return items, session.scalar(select(func.count()).select_from(Plain).where(Plain.id > 9))

    def uncounted_page():
        with Session(engine) as session:
            return session.scalars(select(Plain).order_by(Plain.id).limit(21).offset(40)).all()

    def get():
        with Session(engine) as session:
            return session.get(Plain, 7)

    return {
        "20 rows": repeat(query),
        "20 rows, select": repeat(rows),
        "page": repeat(page),
        "page, subquery": repeat(subquery_page),
        "page, conditions": repeat(filtered_page),
        "page, Q": repeat(query_page),
        "page, no count": repeat(uncounted_page),
        "by key": repeat(get),
    }


@bench.peer("scoped_session")
def scoped():
    registry = scoped_session(sessionmaker(engine))

    def empty():
        registry()
        registry.remove()

    return {"open/close": repeat(empty)}


def _torngas(connector):
    def inside(function):
        def run():
            with connector.scope():
                return function()  # lives until the scope is closed, as in the hand-written versions

        return repeat(run)

    def pages(**options):
        return lambda: paginate(Item.session, select(Item).order_by(Item.id), page=3, per_page=20, **options)

    def filtered():
        return paginate(Item.session, select(Item).where(Item.id > 9).order_by(Item.id), page=3, per_page=20)

    return {
        "20 rows": inside(lambda: Item.Q.limit(20).all()),
        "20 rows, select": inside(lambda: Item.session.scalars(select(Item).limit(20)).all()),
        "page": inside(pages()),
        "page, subquery": inside(pages()),
        "page, conditions": inside(filtered),
        "page, Q": inside(lambda: Item.Q.order_by(Item.id).paginate(3, 20)),
        "page, no count": inside(pages(count="none")),
        "by key": inside(lambda: Item.session.get(Item, 7)),
        "open/close": inside(lambda: Item.session()),
    }


@bench.peer("torngas", package="torngas-dbalchemy")
def torngas():
    connector = Connector({"default": f"sqlite:///{PATH}"})
    configure(connector)
    return _torngas(connector)


@bench.peer("torngas routed")
def routed():
    parts = [{"ROLE": "master", "URL": f"sqlite:///{PATH}"}, {"ROLE": "slave", "URL": f"sqlite:///{PATH}"}]
    return _torngas(Connector({"default": {"connections": parts}}))


@bench.peer("flask-sqlalchemy", package="flask-sqlalchemy")
def flask_peer():
    from flask import Flask
    from flask_sqlalchemy import SQLAlchemy

    db = SQLAlchemy(model_class=DeclarativeBase.__class__("FlaskBase", (DeclarativeBase,), {}))
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{PATH}"

    class Row(db.Model):
        __tablename__ = "item"
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        name: Mapped[str] = mapped_column(String(80))
        price: Mapped[float] = mapped_column(Float)

    db.init_app(app)

    def inside(function):
        def run():
            with app.app_context():
                return function()

        return repeat(run)

    return {
        "20 rows": inside(lambda: db.session.scalars(select(Row).limit(20)).all()),
        "page": inside(lambda: db.paginate(select(Row).order_by(Row.id), page=3, per_page=20)),
        "by key": inside(lambda: db.session.get(Row, 7)),
        "open/close": inside(lambda: db.session()),
    }


@bench.peer("Core", package="sqlalchemy")
def core():
    table = Plain.__table__

    def rows():
        with engine.connect() as connection:
            return connection.execute(select(table).limit(20)).all()

    def text_rows():
        with engine.connect() as connection:
            return connection.execute(text("SELECT * FROM item LIMIT :limit"), {"limit": 20}).all()

    return {"20 rows, SQL": repeat(rows), "20 rows, text": repeat(text_rows)}


@bench.peer("basedb", package="torngas-dbalchemy")
def base():
    db = database(f"sqlite:///{PATH}")
    select_rows = repeat(lambda: db.select("item", limit=20).list())
    return {"20 rows, SQL": select_rows, "20 rows, text": select_rows}


for ours in ("torngas", "torngas routed"):
    bench.target("20 rows", peer=ours, at_most=1.05, of="Session")
    bench.target("page", peer=ours, at_most=1.05, of="Session")
bench.target("page, no count", peer="torngas", at_most=0.6, of="Session", of_scenario="page, subquery")
bench.target("open/close", peer="torngas", at_most=1.1, of="scoped_session")
bench.target("20 rows, SQL", peer="basedb", at_most=1.3, of="Core")

if __name__ == "__main__":
    raise SystemExit(bench.run())
