"""Tornado's own tests of its web framework and its WebSockets, with uvicorn in the place of Tornado's server."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What is left out tests the server below the handlers, which is another one here.
LEFT_OUT = {
    "web_test.ClientCloseTest.test_client_close": "closes request.connection.stream itself",
    "web_test.CrossOriginProtectionBeforePrepareTest.test_websocket_upgrade_header_not_checked": (
        "sends the header of an upgrade without a handshake, which uvicorn refuses with 400"
    ),
    "web_test.PatchMethodTest.test_other": "uses the method OTHER, which llhttp does not know",
    "web_test.UnimplementedNonStandardMethodsTest.test_unimplemented_other": (
        "uses the method OTHER, which llhttp does not know"
    ),
    "web_test.StatusReasonTest.test_header_injection": "ASGI has no reason phrase",
    "web_test.StatusReasonTest.test_reason_xss": "ASGI has no reason phrase",
    "web_test.StatusReasonTest.test_status": "ASGI has no reason phrase",
    "web_test.RaiseWithReasonTest.test_raise_with_reason": "ASGI has no reason phrase",
    "websocket_test.ClientOnlyCompressionTest.test_message_sizes": "the server decides whether it compresses",
    "websocket_test.WebSocketTest.test_bad_websocket_version": "uvicorn answers a wrong version 400, not 426",
    "websocket_test.ClientPeriodicPingTest.test_client_ping": "on_ping: the server answers pings itself",
    "websocket_test.FloodTest.test_pong_most_recent_ping": "on_ping: the server answers pings itself",
    "websocket_test.FloodTest.test_many_small_messages_yield": "sends frames before the handshake was answered",
    "websocket_test.MaxMessageSizeTest.test_large_message": "the server closes, with other words of its own",
    "websocket_test.ManualPingTest.test_manual_ping": "ping() and on_pong: the server sends pings itself",
    "websocket_test.ServerPeriodicPingTest.test_server_ping": "on_pong: the server sends pings itself",
}

RUNNER = '''
import asyncio, importlib, logging, sys, unittest
import tornado.testing, uvicorn
from tornado.ioloop import IOLoop
from torngas.asgi import ASGIAdapter

PROTOCOL, LEFT_OUT = sys.argv[2], set(sys.argv[3:])


class Uvicorn:
    """What AsyncHTTPTestCase needs of a server."""

    def __init__(self, app, **options):
        if options.get("xheaders"):  # Tornado's server trusts every peer
            options["trusted_downstream"] = [*options.get("trusted_downstream", []), "127.0.0.1"]
        size = app.settings.get("websocket_max_message_size", 10 * 1024 * 1024)
        config = uvicorn.Config(
            ASGIAdapter(app, **options), log_config=None, log_level="critical", lifespan="off", server_header=False,
            proxy_headers=False, ws_max_size=size, http=PROTOCOL,
        )
        config.load()
        self.server = uvicorn.Server(config)
        self.server.lifespan = config.lifespan_class(config)

    def add_sockets(self, sockets):
        IOLoop.current().run_sync(lambda: self.start(sockets))

    async def start(self, sockets):
        await self.server.startup(sockets)
        await self.server.on_tick(0)  # which makes the Date header

    def stop(self):
        for one in self.server.servers:
            one.close()

    async def close_all_connections(self):
        state = self.server.server_state
        for connection in list(state.connections):
            connection.transport.abort()
        async with asyncio.timeout(30):
            while state.connections or state.tasks:
                await asyncio.sleep(0)


def get_http_server(self):
    return Uvicorn(self._app, **self.get_httpserver_options())


tornado.testing.AsyncHTTPTestCase.get_http_server = get_http_server
logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
found = unittest.TestLoader().loadTestsFromModule(importlib.import_module("tornado.test." + sys.argv[1]))


def flat(tests):
    for test in tests:
        yield from flat(test) if isinstance(test, unittest.TestSuite) else [test]


tests = list(flat(found))
known = {test.id().removeprefix("tornado.test.") for test in tests}
missing = {name for name in LEFT_OUT if name.startswith(sys.argv[1]) and name not in known}
assert not missing, f"Tornado has no such tests any more: {missing}"
suite = unittest.TestSuite(test for test in tests if test.id().removeprefix("tornado.test.") not in LEFT_OUT)
result = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
print(result.testsRun, len(result.failures) + len(result.errors))
sys.exit(not result.wasSuccessful())
'''


@pytest.mark.parametrize(
    ("module", "at_least", "protocol"),
    [("web_test", 260, "torngas.asgi.onewrite:OneWriteProtocol"), ("websocket_test", 55, "httptools")],
)
def test_tornados_suite_passes_behind_uvicorn(module, at_least, protocol):
    """All but the tests in LEFT_OUT, each of which still exists."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, module, protocol, *LEFT_OUT],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    run, failed = map(int, done.stdout.split())
    assert (failed, run >= at_least) == (0, True)
