"""Sessions that a server keeps in Redis: a request that reads one key, and one that changes one, wall-clock time.

A private Redis on the loopback, the cookie of an existing session with three values, the middleware of each library and
nothing of its HTTP: what a handler writes is not sent. `x50`: 50 visitors at once on one loop, time per request.
Sessions in cookies: the same with the library's own format.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

from bench_torngas_cache_remote import place
from harness import Bench, Operation

bench = Bench("torngas-session (stores)", __doc__, unit="us", slice_seconds=0.06, clock=time.perf_counter)
DATA = {"user": 17, "name": "Ada Lovelace", "n": 1}
SECRET = "x" * 50
VISITORS = 50
TWO_WEEKS = 14 * 24 * 3600
Visit = Callable[[int], Awaitable[object]]


def scenarios(prefix: str, read: Visit, write: Visit) -> Mapping[str, Operation]:
    """Both kinds of visit, one after the other and 50 at once; a visit is told which visitor it is."""

    def one_by_one(visit: Visit) -> Operation:
        async def run(n: int) -> None:
            for _ in range(n):
                await visit(0)

        return run

    def at_once(visit: Visit) -> Operation:
        async def run(n: int) -> None:
            async def visitor(number: int) -> None:
                for _ in range(max(1, n // VISITORS)):
                    await visit(number)

            await asyncio.gather(*(visitor(number) for number in range(min(n, VISITORS))))

        return run

    alone = {f"{prefix} read": one_by_one(read), f"{prefix} write": one_by_one(write)}
    return alone | {f"{prefix} read x50": at_once(read), f"{prefix} write x50": at_once(write)}


def _tornado_handler(application: Any, cookie: str) -> Any:
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
    from tornado.web import RequestHandler

    context = SimpleNamespace(remote_ip="127.0.0.1", protocol="http")
    connection: Any = SimpleNamespace(set_close_callback=lambda callback: None, context=context)
    headers = HTTPHeaders({"Host": "x", **({"Cookie": cookie} if cookie else {})})
    start = RequestStartLine("GET", "/", "HTTP/1.1")
    return RequestHandler(application, HTTPServerRequest(start_line=start, headers=headers, connection=connection))


def _torngas(prefix: str, store: Any) -> Mapping[str, Operation]:
    from tornado.web import Application

    from torngas_session import SessionManager
    from torngas_session.session import Session

    application = Application([])
    manager = SessionManager(store, {"secret_key": SECRET})

    async def sign_in() -> str:
        handler = _tornado_handler(application, "")
        session = Session(manager, handler)
        await session.aload()
        session.update(DATA)
        await session.asave()
        return str(handler._new_cookie.output(header="").strip().split(";")[0])

    async def sign_in_all() -> list[str]:
        return [await sign_in() for _ in range(VISITORS)]

    cookies = bench.loop.run_until_complete(sign_in_all())

    async def read(number: int) -> None:
        session = Session(manager, _tornado_handler(application, cookies[number]))
        await session.aload()
        session.require("n")
        await session.asave()

    async def write(number: int) -> None:
        session = Session(manager, _tornado_handler(application, cookies[number]))
        await session.aload()
        session["n"] = session.require("n") + 1
        await session.asave()

    return scenarios(prefix, read, write)


@bench.peer("torngas", package="torngas-session", differs="a lost update is noticed: written only if unchanged since")
def torngas() -> Mapping[str, Operation]:
    from torngas_cache import create_cache

    return _torngas("redis", create_cache("redis", f"127.0.0.1:{place('redis')}", KEY_PREFIX="torngas"))


@bench.peer("torngas cookie", differs="signed, readable by the visitor")
def torngas_cookie() -> Mapping[str, Operation]:
    from torngas_session import SignedCookieStore

    return _torngas("cookie", SignedCookieStore())


def _aiohttp_session(prefix: str, storage: Any) -> Mapping[str, Operation]:
    from aiohttp import web
    from aiohttp.test_utils import make_mocked_request
    from aiohttp_session import Session, get_session, session_middleware

    async def sign_in() -> str:
        response = web.Response()
        session = Session(None, data={"created": int(time.time()), "session": dict(DATA)}, new=False)
        session.changed()
        await storage.save_session(make_mocked_request("GET", "/"), response, session)
        return response.cookies["AIOHTTP_SESSION"].OutputString().split(";")[0]

    async def sign_in_all() -> list[str]:
        return [await sign_in() for _ in range(VISITORS)]

    cookies = bench.loop.run_until_complete(sign_in_all())
    templates = [make_mocked_request("GET", "/", headers={"Cookie": cookie}) for cookie in cookies]
    middleware = session_middleware(storage)

    async def reading(request: Any) -> Any:
        (await get_session(request))["n"]
        return web.Response(body=b"hello")

    async def writing(request: Any) -> Any:
        (await get_session(request))["n"] += 1
        return web.Response(body=b"hello")

    async def read(number: int) -> None:
        await middleware(templates[number].clone(), reading)

    async def write(number: int) -> None:
        await middleware(templates[number].clone(), writing)

    return scenarios(prefix, read, write)


@bench.peer("aiohttp-session", package="aiohttp-session", differs="the last writer wins")
def aiohttp_redis() -> Mapping[str, Operation]:
    import redis.asyncio
    from aiohttp_session.redis_storage import RedisStorage

    async def storage() -> Any:
        return RedisStorage(redis.asyncio.Redis(port=place("redis")), max_age=TWO_WEEKS)

    return _aiohttp_session("redis", bench.loop.run_until_complete(storage()))


@bench.peer("aiohttp-session encrypted cookie", package="aiohttp-session cryptography", differs="encrypted")
def aiohttp_encrypted() -> Mapping[str, Operation]:
    from aiohttp_session.cookie_storage import EncryptedCookieStorage

    return _aiohttp_session("cookie", EncryptedCookieStorage(b"x" * 32, max_age=TWO_WEEKS))


@bench.peer("django", package="django", differs="the last writer wins; its coroutines run the plain client in a thread")
def django_redis() -> Mapping[str, Operation]:
    from django.conf import settings

    backend = "django.core.cache.backends.redis.RedisCache"
    settings.configure(
        SECRET_KEY=SECRET,
        CACHES={"default": {"BACKEND": backend, "LOCATION": f"redis://127.0.0.1:{place('redis')}"}},
    )
    from django.contrib.sessions.backends.cache import SessionStore

    async def sign_in() -> str:
        session = SessionStore()
        session.update(DATA)
        await session.asave(must_create=True)
        return str(session.session_key)

    async def sign_in_all() -> list[str]:
        return [await sign_in() for _ in range(VISITORS)]

    keys = bench.loop.run_until_complete(sign_in_all())

    async def read(number: int) -> None:
        if await SessionStore(keys[number]).aget("n") is None:
            raise RuntimeError("the session was not found")

    async def write(number: int) -> None:
        session = SessionStore(keys[number])
        await session.aset("n", await session.aget("n") + 1)
        await session.asave()

    return scenarios("redis", read, write)


if __name__ == "__main__":
    raise SystemExit(bench.run())
