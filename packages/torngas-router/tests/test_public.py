"""The public face: names, purity of import, errors."""

import subprocess
import sys

import torngas_router
from torngas_router import ReverseError, UrlError


def test_all_is_sorted_and_complete():
    public = {name for name, value in vars(torngas_router).items() if not name.startswith("_") and _is_ours(value)}
    assert sorted(torngas_router.__all__) == torngas_router.__all__
    assert set(torngas_router.__all__) == public


def _is_ours(value):
    return getattr(value, "__module__", "").startswith("torngas_router") and not isinstance(value, type(sys))


def test_import_starts_opens_and_configures_nothing():
    """No loop, no thread, no logging handler, no random module of the user: in a fresh interpreter."""
    code = """
import asyncio, logging, sys, threading
import torngas_router
assert threading.active_count() == 1
assert not logging.getLogger().handlers and not logging.getLogger("torngas_router").handlers
assert asyncio.get_event_loop_policy()._local._loop is None
unexpected = {name for name in sys.modules if name.partition(".")[0].startswith("torngas")} - {
    name for name in sys.modules if name.partition(".")[0] == "torngas_router"}
assert not unexpected, unexpected
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_every_error_is_a_url_error_and_a_builtin():
    assert issubclass(UrlError, ValueError)
    assert issubclass(ReverseError, UrlError)
    assert issubclass(ReverseError, KeyError)
    assert str(ReverseError("told")) == "told"
