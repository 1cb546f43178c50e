"""Fixtures for pytest: `torngas_settings`, `torngas_app`, `torngas_client`, and the watchers.

    # pytest.ini
    [pytest]
    pythonpath = .
    torngas_settings = settings.settings

    def test_the_front_page(torngas_client):
        assert torngas_client.get("/").status_code == 200

All names begin with `torngas_`, nothing runs by itself, and nothing of the framework is used before a test asks for a
fixture. A project's own fixture `torngas_app` replaces the one here, and `torngas_client` speaks to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torngas.application import Application
    from torngas.testing import Client

__all__ = [
    "pytest_addoption",
    "torngas_app",
    "torngas_assert_num_queries",
    "torngas_capture_logs",
    "torngas_capture_signals",
    "torngas_client",
    "torngas_settings",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Makes `torngas_settings` a key of pytest's configuration."""
    parser.addini("torngas_settings", "dotted path of the settings module of tests", default="")


@pytest.fixture(scope="session")
def torngas_settings(pytestconfig: pytest.Config) -> str:
    """The settings module: pytest's key `torngas_settings`, else the environment's TORNGAS_APP_SETTINGS."""
    named = pytestconfig.getini("torngas_settings") or os.environ.get("TORNGAS_APP_SETTINGS", "")
    if not named:
        raise pytest.UsageError(
            "torngas_settings: got none; expected the key in pytest.ini, e.g. torngas_settings = settings.settings, or "
            "the environment variable TORNGAS_APP_SETTINGS"
        )
    return str(named)


@pytest.fixture
def torngas_app(torngas_settings: Any) -> Iterator[Application]:
    """The project's application, new for each test; its caches and databases are the process's meanwhile."""
    from torngas.testing.project import project_application

    with project_application(torngas_settings) as application:
        yield application


@pytest.fixture
def torngas_client(torngas_app: Application) -> Iterator[Client]:
    """A `torngas.testing.Client` of `torngas_app`; plain methods in plain tests, `aget` and its like in async ones."""
    from torngas.testing import Client

    client = Client(torngas_app, close_application=True)
    yield client
    client.close()


@pytest.fixture
def torngas_assert_num_queries() -> Callable[..., Any]:
    """`torngas.testing.assert_num_queries`: `with torngas_assert_num_queries(2): …`."""
    from torngas.testing import assert_num_queries

    return assert_num_queries


@pytest.fixture
def torngas_capture_logs() -> Callable[..., Any]:
    """`torngas.testing.capture_logs`: `with torngas_capture_logs("blog") as logs: …`."""
    from torngas.testing import capture_logs

    return capture_logs


@pytest.fixture
def torngas_capture_signals() -> Callable[..., Any]:
    """`torngas.testing.capture_signals`: `with torngas_capture_signals(saved) as sent: …`."""
    from torngas.testing import capture_signals

    return capture_signals
