"""The public names, and an import without effects."""

from __future__ import annotations

import inspect
import subprocess
import sys

import torngas_httpmodule


def test_all_is_sorted_and_complete():
    public = {
        name
        for name, value in vars(torngas_httpmodule).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert torngas_httpmodule.__all__ == sorted(torngas_httpmodule.__all__)
    assert set(torngas_httpmodule.__all__) == public


def test_importing_starts_and_configures_nothing():
    code = """
import logging, sys, threading
handlers = list(logging.root.handlers)
import torngas_httpmodule
assert threading.active_count() == 1
assert logging.root.handlers == handlers
import asyncio
assert asyncio.get_event_loop_policy()._local._loop is None
assert not any(name.startswith("torngas") and name.split(".")[0] != "torngas_httpmodule" for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
