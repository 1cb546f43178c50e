"""Each library where there is no torngas: in a plain Tornado application, in Flask, in a script on asyncio.

Every program runs in a process of its own, which ends with the libraries of ours that it had to import: one.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

TORNADO = """
import asyncio
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

async def ask(application, *requests):
    listener, port = bind_unused_port()
    server = HTTPServer(application)
    server.add_socket(listener)
    answers = []
    for path, headers in requests:
        request = HTTPRequest(f"http://127.0.0.1:{port}{path}", headers=headers)
        answers.append(await AsyncHTTPClient().fetch(request, raise_error=False))
    server.stop()
    await server.close_all_connections()
    return answers

def asked(application, *paths):
    return asyncio.run(ask(application, *[(path, {}) for path in paths]))
"""
FLASK = """
from flask import Flask
app = Flask("shop")
"""
ASYNCIO = "import asyncio\n"
ENDING = """
import sys
print(*sorted({name.partition(".")[0] for name in sys.modules if name.startswith("torngas")}))
"""

PROGRAMS = {
    "router in Tornado": """
        from torngas_router import RouteTable, Url, path, route

        class Page(RequestHandler):
            def get(self, number):
                self.write(f"{self._url_kwargs['section']} {number!r}")

        table = RouteTable(route(path("/posts/<int:number>/", Page, name="post", kwargs={"section": "blog"})))
        application = Application([(r"/posts/.*", table), (r"/old", RequestHandler)])
        found, missing = asked(application, "/posts/7/", "/posts/seven/")
        assert found.body == b"blog 7", found.body
        assert missing.code == 404
    """,
    "middleware in Tornado": """
        from torngas_middleware import Application, MiddlewareHandlerMixin

        class Count:
            def process_request(self, handler, clear):
                handler.order = ["request"]
            def process_response(self, handler, clear, chunk):
                chunk.append(b" response")

        class Page(MiddlewareHandlerMixin, RequestHandler):
            def get(self):
                self.write(*self.order)

        [answer] = asked(Application([("/", Page)], middlewares=[Count()]), "/")
        assert answer.body == b"request response", answer.body
    """,
    "httpmodule in Tornado": """
        from torngas_httpmodule import BaseHttpModule, HttpModuleMixin, IPBlockModule, install

        class Stamp(BaseHttpModule):
            def begin_request(self, handler, clear):
                handler.set_header("X-Stamp", "yes")

        class Page(HttpModuleMixin, RequestHandler):
            def get(self):
                self.write("page")

        application = Application([("/", Page), ("/closed", Page)])
        install(application, common=[Stamp], routes={"^/closed": [IPBlockModule("127.0.0.0/8")]})
        page, closed = asked(application, "/", "/closed")
        assert (page.headers["X-Stamp"], page.body) == ("yes", b"page")
        assert closed.code == 403
    """,
    "session in Tornado": """
        from torngas_session import MemoryStore, SessionManager, SessionMixin

        class Visits(SessionMixin, RequestHandler):
            def get(self):
                self.session["visits"] = self.session.get("visits", 0) + 1
                self.write(str(self.session["visits"]))

        sessions = SessionManager(MemoryStore(), {"secret_key": "k" * 32})
        application = Application([("/", Visits)], session_manager=sessions)

        async def main():
            [first] = await ask(application, ("/", {}))
            cookie = first.headers["Set-Cookie"].partition(";")[0]
            [second] = await ask(application, ("/", {"Cookie": cookie}))
            assert (first.body, second.body) == (b"1", b"2")

        asyncio.run(main())
    """,
    "cache in Tornado": """
        from torngas_cache import cache_response, create_cache

        cache, calls = create_cache("locmem"), []

        class Page(RequestHandler):
            @cache_response(60, cache=cache)
            async def get(self):
                calls.append(1)
                self.write("page")

        answers = asked(Application([("/", Page)]), "/", "/")
        assert [answer.body for answer in answers] == [b"page", b"page"]
        assert len(calls) == 1
    """,
    "signal in Tornado": """
        from torngas_signal import Signal

        served = Signal("served", providing_args=["path"])
        seen = []

        @served.connect
        async def note(sender, path, **kwargs):
            await asyncio.sleep(0)
            seen.append((sender, path))

        class Page(RequestHandler):
            async def get(self):
                await served.asend(Page, path=self.request.path)

        asked(Application([("/", Page)]), "/")
        assert seen == [(Page, "/")]
    """,
    "logger in Tornado": """
        import json, logging
        from torngas_logger import JsonFormatter, ProcessLogTimedFileHandler

        handler = ProcessLogTimedFileHandler("access.log")
        handler.setFormatter(JsonFormatter())
        access = logging.getLogger("tornado.access")
        access.addHandler(handler)
        access.setLevel("INFO")
        asked(Application([("/", RequestHandler)]), "/nothing\\r\\n")
        handler.close()
        with open("access.log") as lines:
            [entry] = map(json.loads, lines)
        assert entry["message"].startswith("404 GET /nothing"), entry
    """,
    "dbalchemy in Tornado": """
        from sqlalchemy.orm import Mapped, mapped_column
        from torngas_dbalchemy import Connector, Model

        class Note(Model):
            __tablename__ = "notes"
            id: Mapped[int] = mapped_column(primary_key=True)

        connector = Connector({"default": {"connections": [{"ROLE": "master", "URL": "sqlite:///notes.db"}]}})
        connector.create_db()

        class Page(RequestHandler):
            def get(self):
                with connector.scope():
                    session = Note.session.using_master()
                    session.add(Note())
                    session.commit()
                    self.write(str(Note.Q.count()))

        answers = asked(Application([("/", Page)]), "/", "/")
        assert [answer.body for answer in answers] == [b"1", b"2"]
        connector.close()
    """,
    "signal in Flask": """
        from torngas_signal import Signal

        ordered, seen = Signal("ordered", providing_args=["book"]), []

        @ordered.connect
        def note(sender, book):
            seen.append((sender, book))

        @app.post("/order/<book>")
        def order(book):
            ordered.send(app, book=book)
            return "ordered"

        assert app.test_client().post("/order/emma").text == "ordered"
        assert seen == [(app, "emma")]
    """,
    "cache in Flask": """
        from torngas_cache import cached, create_cache

        calls = []

        @cached(60, cache=create_cache("locmem"))
        def price(book):
            calls.append(book)
            return len(book)

        @app.get("/price/<book>")
        def show(book):
            return str(price(book))

        client = app.test_client()
        assert [client.get("/price/emma").text for _ in range(3)] == ["4"] * 3
        assert calls == ["emma"]
    """,
    "logger in Flask": """
        from torngas_logger import LineFormatter, MaskingFilter, ProcessLogTimedFileHandler

        handler = ProcessLogTimedFileHandler("flask.log")
        handler.setFormatter(LineFormatter("%(levelname)s %(message)s"))
        handler.addFilter(MaskingFilter())
        app.logger.addHandler(handler)
        app.logger.propagate = False

        @app.get("/")
        def front():
            app.logger.warning("line one\\nline two, password=%s", "s3cret")
            return ""

        app.test_client().get("/")
        handler.close()
        with open("flask.log") as lines:
            text = lines.read()
        assert text == "WARNING line one\\\\nline two, password=***\\n", text
    """,
    "dbalchemy in Flask": """
        from flask import g
        from sqlalchemy.orm import Mapped, mapped_column
        from torngas_dbalchemy import Connector, Model

        class Book(Model):
            __tablename__ = "books"
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str]

        connector = Connector({"default": {"connections": [{"ROLE": "master", "URL": "sqlite:///books.db"}]}})
        connector.create_db()

        @app.before_request
        def enter():
            g.scope = connector.scope()
            g.scope.__enter__()

        @app.teardown_request
        def leave(error):
            g.scope.__exit__(None, None, None)

        @app.post("/books/<title>")
        def add(title):
            session = Book.session.using_master()
            session.add(Book(title=title))
            if title != "forgotten":
                session.commit()
            return ""

        @app.get("/books")
        def titles():
            return [book.title for book in Book.Q.order_by(Book.id)]

        client = app.test_client()
        for title in ("emma", "forgotten", "ulysses"):
            client.post(f"/books/{title}")
        assert client.get("/books").json == ["emma", "ulysses"]
        connector.close()
    """,
    "signal in asyncio": """
        from torngas_signal import Signal

        tick = Signal("tick")

        @tick.connect
        async def slow(sender, **kwargs):
            await asyncio.sleep(0)
            return "slow"

        @tick.connect
        def quick(sender, **kwargs):
            return "quick"

        answers = asyncio.run(tick.asend(None))
        assert answers == [(slow, "slow"), (quick, "quick")]
    """,
    "cache in asyncio": """
        from torngas_cache import create_cache

        async def main():
            cache = create_cache("file", "cached")
            await cache.aset("a", [1])
            assert await cache.aget("a") == [1]
            await cache.aclose()

        asyncio.run(main())
    """,
    "logger in asyncio": """
        import logging
        from torngas_logger import NonBlockingHandler, ProcessLogTimedFileHandler

        async def main():
            handler = NonBlockingHandler(ProcessLogTimedFileHandler("script.log"))
            log = logging.getLogger("script")
            log.addHandler(handler)
            for number in range(100):
                log.warning("%d", number)
            handler.close()

        asyncio.run(main())
        with open("script.log") as lines:
            assert [int(line) for line in lines] == list(range(100))
    """,
    "dbalchemy in asyncio": """
        from sqlalchemy import select
        from sqlalchemy.orm import Mapped, mapped_column
        from torngas_dbalchemy import Connector, Model

        class Job(Model):
            __tablename__ = "jobs"
            id: Mapped[int] = mapped_column(primary_key=True)

        async def main():
            connector = Connector({"default": {"connections": [{"ROLE": "master", "URL": "sqlite+aiosqlite:///jobs.db"}]}})
            connector.create_db()
            async with connector.get_conn().asession() as session:
                session.add(Job())
                await session.commit()
                assert len((await session.scalars(select(Job))).all()) == 1
            await connector.aclose()

        asyncio.run(main())
    """,
}
PRELUDES = {"Tornado": TORNADO, "Flask": FLASK, "asyncio": ASYNCIO}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_library_serves_where_there_is_no_torngas(program, tmp_path):
    library, _, place = program.partition(" in ")
    (tmp_path / "program.py").write_text(PRELUDES[place] + textwrap.dedent(PROGRAMS[program]) + ENDING)
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"torngas_{library}"]
