"""Start-up of {package}: importing it, and making the smallest useful thing of it, each in fresh interpreters.

"import" is the sum of `python -X importtime`: this package and all it brings along that the interpreter has not. "first
use" is the wall-clock time of a whole process that imports and makes, less that of a process that does nothing.
Interpreters are started in turn, peers in random order; medians. A warm file cache, compiled bytecode.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

import budget
from harness import Bench, Measured, Table

MARK = "-- from here"
LINE = re.compile(r"import time:\s+\d+ \|\s+\d+ \|\s+\S")


@dataclass(frozen=True)
class Start:
    """What an interpreter is given: the import, and the first use of it; `after` is imported before and not counted."""

    imports: str
    use: str = ""
    package: str = ""
    after: str = "pass"


TORNADO = "import tornado.web, tornado.httpserver, tornado.options"
ROUTED = "; application = {}([('/', tornado.web.RequestHandler)])"
DJANGO = "from django.conf import settings; settings.configure(SECRET_KEY='x' * 50)"
SQL = "import sqlalchemy.orm"
TORNGAS_USE = (
    "from torngas.application import Application; from torngas.settings_manager import Settings; "
    "from torngas.wiring.application import build_application; "
    "build_application(Application, Settings({'DEBUG': False, 'MIDDLEWARE_CLASSES': [], "
    "'TORNADO_CONF': {'cookie_secret': 'x'}}), [('/', tornado.web.RequestHandler)])"
)
STARTS: dict[str, dict[str, Start]] = {
    "torngas-signal": {
        "torngas-signal": Start("import torngas_signal", "torngas_signal.Signal().send(None)", "torngas-signal"),
        "blinker": Start("import blinker", "blinker.Signal().send(None)", "blinker"),
        "django.dispatch": Start("import django.dispatch", "django.dispatch.Signal().send(None)", "django"),
    },
    "torngas-logger": {
        "torngas-logger": Start("import torngas_logger", "torngas_logger.ProcessLogTimedFileHandler", "torngas-logger"),
        "logging.handlers": Start("import logging.handlers", "logging.handlers.TimedRotatingFileHandler"),
        "concurrent-log-handler": Start(
            "import concurrent_log_handler",
            "concurrent_log_handler.ConcurrentTimedRotatingFileHandler",
            "concurrent-log-handler",
        ),
        "loguru": Start("import loguru", "loguru.logger", "loguru"),
    },
    "torngas-cache": {
        "torngas-cache": Start("import torngas_cache", "torngas_cache.create_cache('locmem', 'x')", "torngas-cache"),
        "cachelib": Start("import cachelib", "cachelib.SimpleCache()", "cachelib"),
        "cachetools": Start("import cachetools", "cachetools.TTLCache(9, 300)", "cachetools"),
        "django.core.cache": Start("import django.core.cache", f"{DJANGO}; django.core.cache.cache.get('x')", "django"),
        "aiocache": Start("import aiocache", "aiocache.SimpleMemoryCache()", "aiocache"),
        "cashews": Start("import cashews", "cashews.Cache().setup('mem://')", "cashews"),
        "dogpile.cache": Start(
            "import dogpile.cache", "dogpile.cache.make_region().configure('dogpile.cache.memory')", "dogpile.cache"
        ),
    },
    "torngas-router": {
        "torngas-router": Start(
            "import torngas_router, tornado.web",
            "x = 1" + ROUTED.format("torngas_router.Application"),
            "torngas-router",
        ),
        "tornado": Start("import tornado.web", "x = 1" + ROUTED.format("tornado.web.Application"), "tornado"),
        "werkzeug": Start("import werkzeug.routing", "werkzeug.routing.Map([])", "werkzeug"),
        "falcon": Start("import falcon.routing", "falcon.routing.CompiledRouter()", "falcon"),
        "starlette": Start("import starlette.routing", "starlette.routing.Router([])", "starlette"),
        "litestar": Start("import litestar", "litestar.Litestar([], openapi_config=None)", "litestar"),
    },
    "torngas-middleware": {
        "torngas-middleware": Start(
            "import torngas_middleware, tornado.web",
            "x = 1" + ROUTED.format("torngas_middleware.Application"),
            "torngas-middleware",
        ),
        "tornado": Start("import tornado.web", "x = 1" + ROUTED.format("tornado.web.Application"), "tornado"),
    },
    "torngas-httpmodule": {
        "torngas-httpmodule": Start(
            "import torngas_httpmodule", "torngas_httpmodule.HttpModuleMiddleware()", "torngas-httpmodule"
        ),
        "tornado": Start("import tornado.web", "x = 1" + ROUTED.format("tornado.web.Application"), "tornado"),
    },
    "torngas-session": {
        "torngas-session": Start("import torngas_session", "torngas_session.MemoryStore()", "torngas-session"),
        "django sessions": Start("import django.contrib.sessions.middleware", DJANGO, "django"),
        "starlette sessions": Start("import starlette.middleware.sessions", "", "starlette"),
        "aiohttp-session": Start("import aiohttp_session", "aiohttp_session.SimpleCookieStorage()", "aiohttp-session"),
    },
    "torngas-dbalchemy": {
        "torngas-dbalchemy": Start(
            "import torngas_dbalchemy", "torngas_dbalchemy.Connector({'default': 'sqlite://'})", "torngas-dbalchemy"
        ),
        "sqlalchemy": Start(SQL, "sqlalchemy.create_engine('sqlite://')", "sqlalchemy"),
        "flask-sqlalchemy": Start("import flask_sqlalchemy", "flask_sqlalchemy.SQLAlchemy()", "flask-sqlalchemy"),
    },
    "torngas": {
        "torngas": Start(f"{TORNADO}; import torngas, torngas.handler", TORNGAS_USE, "torngas"),
        "tornado": Start(TORNADO, "x = 1" + ROUTED.format("tornado.web.Application"), "tornado"),
        "torngas above tornado": Start("import torngas, torngas.handler", "", "torngas", after=TORNADO),
        "django": Start("import django.core.wsgi", f"{DJANGO}; django.core.wsgi.get_wsgi_application()", "django"),
        "starlette": Start("import starlette.applications", "starlette.applications.Starlette()", "starlette"),
        "flask": Start("import flask", "flask.Flask('x')", "flask"),
        "aiohttp": Start("import aiohttp.web", "aiohttp.web.Application()", "aiohttp"),
    },
}
LIMITS = {"torngas-signal": ("torngas-signal", 15), "torngas": ("torngas above tornado", 250)}


def run(code: str, *options: str) -> tuple[float, str]:
    """Wall-clock seconds and standard error of a fresh interpreter."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-I", *options, "-c", code], capture_output=True, text=True, timeout=60)
    took = time.perf_counter() - begin
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            raise ImportError(done.stderr.strip().splitlines()[-1])
        raise RuntimeError(f"{code!r}: {done.stderr.strip().splitlines()[-1]}")
    return took, done.stderr


def import_ms(start: Start) -> tuple[float, int]:
    """Milliseconds of the imports, and how many modules they loaded."""
    code = f"{start.after}; import sys; sys.stderr.write({MARK + chr(10)!r}); {start.imports}"
    err = run(code, "-X", "importtime")[1].split(MARK, 1)[1]
    entries = LINE.findall(err)
    top = re.findall(r"import time:\s+\d+ \|\s+(\d+) \| \S", err)  # one blank: imported by the statement itself
    return sum(map(int, top)) / 1e3, len(entries)


def measured(starts: dict[str, Start], rounds: int) -> dict[str, tuple[list[float], list[float], int]]:
    """By peer: milliseconds of each import and of each first use, and modules."""
    found: dict[str, tuple[list[float], list[float], int]] = {}
    for name, start in starts.items():
        try:
            modules = import_ms(start)[1]  # also compiles
        except ImportError as error:
            print(f"# {name}: left out ({error})")
        else:
            found[name] = [], [], modules
    for done in range(rounds):
        if done and not budget.left():
            break
        nothing = run("pass")[0]
        for name in random.sample(list(found), len(found)):
            start = starts[name]
            found[name][0].append(import_ms(start)[0])
            if start.use:
                found[name][1].append((run(f"{start.imports}; {start.use}")[0] - nothing) * 1e3)
    return found


def bench_of(package: str) -> Bench:
    """The benchmark of one package's start-up."""
    bench = Bench(f"{package} (start-up)", (__doc__ or "").replace("{package}", package), rounds=15)
    for name, start in STARTS.get(package, {}).items():
        bench.peer(name, start.package)(dict)

    @bench.check
    def start_up(args: argparse.Namespace) -> list[Measured]:
        results = measured({name: STARTS[package][name] for name in args.peers}, args.rounds)
        table = Table("Start-up", ["peer", "import ms", "fastest", "modules", "first use ms"])
        rows = []
        for name, (imports, uses, modules) in results.items():
            middle, use = statistics.median(imports), f"{statistics.median(uses):,.1f}" if uses else ""
            table.rows.append([name, f"{middle:,.1f}", f"{min(imports):,.1f}", str(modules), use])
            if LIMITS.get(package, ("",))[0] == name:
                most = LIMITS[package][1]
                rows.append(Measured(f"import, {name}", f"<= {most} ms", f"{middle:.1f} ms", middle <= most))
        table.show()
        return rows

    return bench


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in STARTS:
        sys.exit(f"usage: startup.py PACKAGE …; packages: {', '.join(STARTS)}")
    raise SystemExit(bench_of(sys.argv[1]).run(sys.argv[2:]))
