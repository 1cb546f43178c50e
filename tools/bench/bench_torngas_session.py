"""Session middleware in process: microseconds per request, beside the same handler without a session.

A request carries the cookie of an existing session with three keys; the handler leaves the session alone,
reads one key, or changes one. The targets compare what the session adds, so each peer subtracts its own
"no session" of the same run. With redis: round trips per request, and how long the loop stood still.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from harness import Bench, Measured, _measure

bench = Bench("torngas-session", __doc__, unit="us")
DATA = {"user": 17, "name": "Ada Lovelace", "n": 1}
KEY = "b" * 32
ROOT = Path(__file__).resolve().parents[2]


@bench.peer("torngas memory")
def torngas_memory():
    from torngas_session import MemoryStore

    return torngas_cases(MemoryStore())


@bench.peer("torngas cookie")
def torngas_cookie():
    from torngas_session import SignedCookieStore

    return torngas_cases(SignedCookieStore())


def torngas_cases(store):
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
    from tornado.web import Application, RequestHandler

    from torngas_session import SessionAccessMixin, SessionManager, SessionMiddleware

    class Handler(SessionAccessMixin, RequestHandler):
        pass

    connection = SimpleNamespace(
        set_close_callback=lambda callback: None,
        context=SimpleNamespace(remote_ip="127.0.0.1", protocol="http"),
    )
    application = Application([], log_function=lambda handler: None)
    middleware = SessionMiddleware(SessionManager(store, {"secret_key": "x" * 50}))
    start = RequestStartLine("GET", "/", "HTTP/1.1")

    def new_handler(cookie):
        headers = HTTPHeaders({"Host": "x", **({"Cookie": cookie} if cookie else {})})
        return Handler(application, HTTPServerRequest(start_line=start, headers=headers, connection=connection))

    def clear():
        pass

    first = new_handler("")
    middleware.process_request(first, clear)
    first.session.update(DATA)
    middleware.process_response(first, clear, [])
    cookie = first._new_cookie.output(header="").strip().split(";")[0]

    def untouched(handler):
        handler.write(b"hello")

    def read(handler):
        if handler.session["n"] is None:
            raise RuntimeError("the session was not found")
        handler.write(b"hello")

    def write(handler):
        handler.session["n"] = 2
        handler.write(b"hello")

    def bare(n):
        for _ in range(n):
            handler = new_handler(cookie)
            untouched(handler)
            handler._break_cycles()  # as Tornado does when a response is finished

    def runner(action):
        def run(n):
            request, response, endcall = (
                middleware.process_request,
                middleware.process_response,
                middleware.process_endcall,
            )
            for _ in range(n):
                handler = new_handler(cookie)
                request(handler, clear)
                action(handler)
                response(handler, clear, handler._write_buffer)
                endcall(handler, clear)
                handler._break_cycles()

        return run

    return {"no session": bare, "untouched": runner(untouched), "read": runner(read), "write": runner(write)}


@bench.peer("django cache/locmem", package="django")
def django_locmem():
    return django_cases("django.contrib.sessions.backends.cache")


@bench.peer("django signed cookie")
def django_cookie():
    return django_cases("django.contrib.sessions.backends.signed_cookies")


def django_cases(engine):
    from importlib import import_module

    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            SECRET_KEY="x" * 50,
            ALLOWED_HOSTS=["*"],
            CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        )
        django.setup()
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.core.handlers.wsgi import WSGIRequest
    from django.http import HttpResponse
    from django.test import RequestFactory

    store = import_module(engine).SessionStore(KEY if engine.endswith("cache") else None)
    store.update(DATA)
    store.save()
    environ = RequestFactory().get("/", HTTP_COOKIE=f"sessionid={store.session_key}").environ

    class Middleware(SessionMiddleware):
        """Its engine is chosen by a setting that is global; here by the class."""

        def __init__(self, get_response):
            super().__init__(get_response)
            self.SessionStore = import_module(engine).SessionStore

    def untouched(request):
        return HttpResponse(b"hello")

    def read(request):
        if request.session["n"] is None:
            raise RuntimeError("the session was not found")
        return HttpResponse(b"hello")

    def write(request):
        request.session["n"] = 2
        return HttpResponse(b"hello")

    def runner(handler):
        def run(n):
            for _ in range(n):
                handler(WSGIRequest(dict(environ)))

        run(1)
        return run

    return {
        "no session": runner(untouched),
        "untouched": runner(Middleware(untouched)),
        "read": runner(Middleware(read)),
        "write": runner(Middleware(write)),
    }


@bench.peer("starlette signed cookie", package="starlette")
def starlette():
    from base64 import b64encode

    import itsdangerous
    from starlette.middleware.sessions import SessionMiddleware

    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
    body = {"type": "http.response.body", "body": b"hello"}
    cookie = b"session=" + itsdangerous.TimestampSigner("x" * 50).sign(b64encode(json.dumps(DATA).encode()))

    async def untouched(scope, receive, send):
        await send({**start, "headers": list(start["headers"])})
        await send(body)

    async def read(scope, receive, send):
        scope["session"]["n"]
        await untouched(scope, receive, send)

    async def write(scope, receive, send):
        scope["session"]["n"] = 2
        await untouched(scope, receive, send)

    async def sink(message):
        pass

    def runner(app):
        async def run(n):
            for _ in range(n):
                headers = [(b"host", b"x"), (b"cookie", cookie)]
                await app({"type": "http", "method": "GET", "path": "/", "headers": headers}, None, sink)

        return run

    secret = "x" * 50
    return {
        "no session": runner(untouched),
        "untouched": runner(SessionMiddleware(untouched, secret)),
        "read": runner(SessionMiddleware(read, secret)),
        "write": runner(SessionMiddleware(write, secret)),
    }


@bench.peer("aiohttp_session plain cookie", package="aiohttp-session")
def aiohttp_session():
    from aiohttp import web
    from aiohttp.test_utils import make_mocked_request
    from aiohttp_session import Session, SimpleCookieStorage, get_session, session_middleware

    async def untouched(request):
        return web.Response(body=b"hello")

    async def read(request):
        (await get_session(request))["n"]
        return web.Response(body=b"hello")

    async def write(request):
        (await get_session(request))["n"] = 2
        return web.Response(body=b"hello")

    async def cookie():
        response = web.Response()
        session = Session(None, data={"created": int(time.time()), "session": dict(DATA)}, new=False)
        session.changed()
        await SimpleCookieStorage().save_session(make_mocked_request("GET", "/"), response, session)
        return response.cookies["AIOHTTP_SESSION"].OutputString().split(";")[0]

    template = make_mocked_request("GET", "/", headers={"Cookie": bench.loop.run_until_complete(cookie())})
    middleware = session_middleware(SimpleCookieStorage())

    def runner(handler, through=True):
        async def run(n):
            for _ in range(n):
                request = template.clone()
                if through:
                    await middleware(request, handler)
                else:
                    await handler(request)

        return run

    return {
        "no session": runner(untouched, through=False),
        "untouched": runner(untouched),
        "read": runner(read),
        "write": runner(write),
    }


LIMITS = {"untouched": 0.30, "read": 0.60, "write": 0.40}
UNTOUCHED_US = 1.5


@bench.check
def cost_above_no_session(args: argparse.Namespace) -> list[Measured]:
    """What the session adds, here and at Django, measured side by side in a run of its own."""
    peers = {"torngas": torngas_memory(), "django": django_locmem()}
    cases = {(scenario, peer): run for peer, runs in peers.items() for scenario, run in runs.items()}
    rounds = 15 if args.quick else 60  # short slices, many of them: the best one was not disturbed
    samples = _measure(cases, rounds, 0.008, time.process_time, bench.loop)
    best = {key: min(values) * 1e6 for key, values in samples.items()}
    rows = []
    for scenario, limit in LIMITS.items():
        ours, theirs = (best[scenario, peer] - best["no session", peer] for peer in peers)
        name = f"{scenario}, above no session"
        value = f"{ours:.2f}/{theirs:.2f} us = {ours / theirs:.2f}"
        rows.append(Measured(name, f"<= {limit:.2f} x django cache/locmem", value, ours <= limit * theirs))
        if scenario == "untouched":
            rows.append(Measured(name, f"<= {UNTOUCHED_US} us", f"{ours:.2f} us", ours <= UNTOUCHED_US))
    return rows


@bench.check
def redis_round_trips(args: argparse.Namespace) -> list[Measured]:
    """Fifty concurrent visitors read and write on redis: commands per request, and the loop's longest pause."""
    command = [sys.executable, str(ROOT / "tools" / "services"), "redis"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        line = service.stdout.readline()
        try:
            if not line:
                return [Measured("redis, round trips", "1 read, 1 write", "no redis-server", False)]
            place = json.loads(line)["redis"]
            return bench.loop.run_until_complete(_fifty_visitors(f"{place['host']}:{place['port']}"))
        finally:
            service.stdin.close()


async def _fifty_visitors(location: str) -> list[Measured]:
    from torngas_cache.backends.rediscache import RedisCache
    from torngas_session import SessionManager
    from torngas_session.session import Session

    store = RedisCache(location, {})
    counted = _Counting(store)
    manager = SessionManager(counted, {"secret_key": "x" * 50})
    handlers = [_handler(manager, "") for _ in range(50)]
    cookies = []
    for handler in handlers:
        session = Session(manager, handler)
        await session.aload()
        session.update(DATA)
        await session.asave()
        cookies.append(handler._new_cookie.output(header="").strip().split(";")[0])
    counted.calls.clear()

    async def visit(cookie):
        session = Session(manager, _handler(manager, cookie))
        await session.aload()
        session["n"] = session.require("n") + 1
        await session.asave()

    pauses = []
    watching = asyncio.ensure_future(_watch(pauses))
    await asyncio.gather(*(visit(cookie) for cookie in cookies))
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    reads, writes = counted.calls.count("agets") / 50, counted.calls.count("acas") / 50
    plain = [name for name in counted.calls if not name.startswith("a")]
    text = f"{reads:g} read, {writes:g} write"
    await store.aclose()
    return [
        Measured("redis, calls per request, 50 at once", "1 read, 1 write", text, (reads, writes) == (1, 1)),
        Measured("redis, plain calls on the loop", "none", str(len(plain)), not plain),
        Measured("redis, longest pause of the loop", "<= 50 ms", f"{max(pauses) * 1e3:.1f} ms", max(pauses) <= 0.05),
    ]


class _Counting:
    def __init__(self, store):
        self._store = store
        self.calls = []

    def __getattr__(self, name):
        value = getattr(self._store, name)
        if not callable(value):
            return value

        def call(*args):
            self.calls.append(name)
            return value(*args)

        return call


def _handler(manager, cookie):
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
    from tornado.web import Application, RequestHandler

    context = SimpleNamespace(remote_ip="127.0.0.1", protocol="http")
    connection = SimpleNamespace(set_close_callback=lambda callback: None, context=context)
    headers = HTTPHeaders({"Host": "x", **({"Cookie": cookie} if cookie else {})})
    start = RequestStartLine("GET", "/", "HTTP/1.1")
    return RequestHandler(Application([]), HTTPServerRequest(start_line=start, headers=headers, connection=connection))


async def _watch(pauses: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0)
        pauses.append(time.perf_counter() - before)


if __name__ == "__main__":
    raise SystemExit(bench.run())
