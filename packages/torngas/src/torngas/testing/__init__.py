"""Tests of applications: a client that speaks HTTP and WebSocket to them, and watchers of what they do inside.

    from torngas.testing import Client

    with Client(application) as client:
        assert client.get("/").status_code == 200

With pytest the fixtures `torngas_app` and `torngas_client` are there by themselves; see `torngas.testing.plugin`.
Names are imported when they are first used: pytest imports this package in every project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torngas.testing.client import Client
    from torngas.testing.errors import HandshakeError, NoSessionManagerError, TestingError, TooManyRedirectsError
    from torngas.testing.logs import CapturedLogs, capture_logs
    from torngas.testing.project import project_application
    from torngas.testing.queries import assert_num_queries
    from torngas.testing.response import Response
    from torngas.testing.signals import CapturedSignal, capture_signals
    from torngas.testing.websocket import WebSocket

__all__ = [
    "CapturedLogs",
    "CapturedSignal",
    "Client",
    "HandshakeError",
    "NoSessionManagerError",
    "Response",
    "TestingError",
    "TooManyRedirectsError",
    "WebSocket",
    "assert_num_queries",
    "capture_logs",
    "capture_signals",
    "project_application",
]

_HOMES = {
    "CapturedLogs": "logs",
    "CapturedSignal": "signals",
    "Client": "client",
    "HandshakeError": "errors",
    "NoSessionManagerError": "errors",
    "Response": "response",
    "TestingError": "errors",
    "TooManyRedirectsError": "errors",
    "WebSocket": "websocket",
    "assert_num_queries": "queries",
    "capture_logs": "logs",
    "capture_signals": "signals",
    "project_application": "project",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
