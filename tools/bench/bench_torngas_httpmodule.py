"""What HTTP modules cost: per hook call above a plain function call, and per route key for a repeated path.

The dispatcher is driven in this process with a stand-in for a handler: what is measured is the modules' own cost.
"""

from __future__ import annotations

import argparse
import statistics
import time
from types import SimpleNamespace

from harness import Bench, Measured
from tornado.web import Application, RequestHandler

from torngas_httpmodule import BaseHttpModule, HttpModuleMiddleware

bench = Bench("torngas-httpmodule", __doc__)
HOOKS = 10


class NoOp(BaseHttpModule):
    def begin_request(self, handler, clear):
        pass


def modules(count):
    return [type(f"NoOp{number}", (NoOp,), {}) for number in range(count)]


def requests(common, routes, path="/user/7/edit"):
    app = Application([(r"/user/(\d+)/edit", RequestHandler), ("/(.*)", RequestHandler)])
    middleware = HttpModuleMiddleware(common, routes)
    middleware.process_init(app)
    request = SimpleNamespace(path=path, host_name="x")
    handler = SimpleNamespace(application=app, request=request, _finished=False)
    clear = lambda: None  # noqa: E731 - a plain function, as cheap as it gets
    process = middleware.process_request

    def run(n):
        for _ in range(n):
            handler.__dict__.pop("_http_modules", None)
            process(handler, clear)

    return run


@bench.peer("plain function calls")
def plain():
    hooks = [kind().begin_request for kind in modules(HOOKS)]

    def run(n):
        for _ in range(n):
            for hook in hooks:
                hook(None, None)

    return {f"{HOOKS} hooks": run}


@bench.peer("torngas-httpmodule", package="torngas-httpmodule")
def ours():
    def keys(count):
        return {f"^/(user|x{number})/": [NoOp] for number in range(count)}

    return {
        f"{HOOKS} hooks": requests(modules(HOOKS), {}),
        "2 route keys": requests([], keys(2)),
        "200 route keys": requests([], keys(200)),
    }


bench.target(
    "200 route keys", peer="torngas-httpmodule", at_most=1.2, of="torngas-httpmodule", of_scenario="2 route keys"
)


@bench.check
def per_hook(args: argparse.Namespace) -> list[Measured]:
    ours_run, plain_run = requests(modules(HOOKS), {}), plain()[f"{HOOKS} hooks"]
    above = []
    for _ in range(args.rounds * 3):
        took = []
        for run in (ours_run, plain_run):
            start = time.process_time()
            run(5_000)
            took.append((time.process_time() - start) / 5_000)
        above.append((took[0] - took[1]) / HOOKS * 1e6)
    value = statistics.median(above)
    free = HttpModuleMiddleware()
    hooks = [
        name
        for name in ("process_request", "process_render", "process_response", "process_endcall")
        if hasattr(free, name)
    ]
    return [
        Measured("per hook call above a plain call", "<= 0.50 us", f"{value:.2f} us", value <= 0.5),
        Measured("hooks installed without modules", "0", str(len(hooks)), not hooks),
    ]


if __name__ == "__main__":
    raise SystemExit(bench.run())
