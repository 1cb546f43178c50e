"""Tornado's own test suite, with this application, handler, and once this server, in place of Tornado's.

Its handlers that are plain functions take the short path, the others Tornado's way.
"""

import subprocess
import sys

import pytest

RUNNER = '''
import ast, importlib.util, logging, sys, types, unittest
import tornado.web
import tornado.testing
from torngas_middleware import Application, HTTPServer, MiddlewareHandlerMixin, ShortPathMixin
from torngas_middleware import _delegate

counts = {"request": 0, "endcall": 0, "complete": 0, "short": 0}


class Sync:
    def process_call(self, request, clear): ...
    def process_request(self, handler, clear): counts["request"] += 1
    def process_render(self, handler, clear, template_name, **kwargs): ...
    def process_exception(self, handler, clear, typ, value, tb): ...
    def process_response(self, handler, clear, chunk): ...
    def process_endcall(self, handler, clear): counts["endcall"] += 1


class Async:
    async def process_request(self, handler, clear): counts["request"] += 1
    async def process_exception(self, handler, clear, typ, value, tb): ...
    async def process_response(self, handler, clear, chunk): ...
    async def process_endcall(self, handler, clear): counts["endcall"] += 1


MIDDLEWARES = {"none": [], "sync": [Sync, Sync()], "async": [Async, Async()]}[sys.argv[1]]


class TestedApplication(Application):
    def __init__(self, *args, **settings):
        super().__init__(*args, middlewares=MIDDLEWARES, **settings)


class CountedDelegate(_delegate.ShortDelegate):
    def _run(self, context):
        counts["short"] += 1
        super()._run(context)


class TestedHandler(MiddlewareHandlerMixin, ShortPathMixin, tornado.web.RequestHandler):
    def on_prepare(self): ...

    def complete_finish(self): counts["complete"] += 1


import torngas_middleware.application

torngas_middleware.application.ShortDelegate = CountedDelegate
if sys.argv[2] == "our server":
    tornado.testing.HTTPServer = HTTPServer

stand_ins = types.ModuleType("stand_ins")
stand_ins.Application, stand_ins.RequestHandler = TestedApplication, TestedHandler
stand_ins.HTTPServer = tornado.testing.HTTPServer
sys.modules["stand_ins"] = stand_ins


def load(name):
    """The test module, with one import added behind those of tornado.web and tornado.httpserver."""
    spec = importlib.util.find_spec(name)
    tree = ast.parse(open(spec.origin).read())
    replaced = ("tornado.web", "tornado.httpserver")
    imports = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module in replaced]
    names = {alias.name for n in imports for alias in n.names} & {"Application", "RequestHandler", "HTTPServer"}
    if names:
        added = ast.parse("from stand_ins import " + ", ".join(sorted(names))).body
        tree.body[tree.body.index(imports[-1]) + 1 : 0] = added
    module = types.ModuleType(name)
    module.__file__, module.__package__ = spec.origin, "tornado.test"
    sys.modules[name] = module
    exec(compile(ast.fix_missing_locations(tree), spec.origin, "exec"), module.__dict__)
    return module


logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
loader, suite = unittest.TestLoader(), unittest.TestSuite()
for part in sys.argv[3:]:
    suite.addTests(loader.loadTestsFromModule(load("tornado.test." + part)))
result = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
failed = len(result.failures) + len(result.errors)
print(result.testsRun, failed, counts["request"], counts["complete"], counts["short"])
sys.exit(not result.wasSuccessful())
'''


@pytest.mark.parametrize(
    ("mode", "server"),
    [("none", "our server"), ("sync", "our server"), ("async", "our server"), ("sync", "Tornado's server")],
)
def test_tornados_web_suite_passes(mode, server):
    """The tests of tornado.web, and of websockets, the server and routing, without and with sync and async hooks."""
    modules = ["web_test", "websocket_test", "httpserver_test", "routing_test"]
    command = [sys.executable, "-c", RUNNER, mode, server, *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    run, failed, requests, completes, short = map(int, done.stdout.split())
    assert (failed, run > 350, completes > 200) == (0, True, True)
    assert (requests > 500) == (mode != "none")
    assert (short > 200) == (mode != "async")
