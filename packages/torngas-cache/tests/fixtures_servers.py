"""Real servers for tests: private ones, started once per test process by tools/services, and ended with it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MISSING_PROGRAM = 3


def _launcher():
    for folder in Path(__file__).resolve().parents:
        if (folder / "tools" / "services" / "__main__.py").exists():
            return folder / "tools" / "services"
    pytest.skip("tools/services is not beside these tests, so there is no server to test against")


@contextlib.contextmanager
def served(*names):
    """Answers where the servers are, as tools/services prints it, while the block runs."""
    launcher = subprocess.Popen(
        [sys.executable, str(_launcher()), *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = launcher.stdout.readline()
        if not line:
            message = launcher.stderr.read().strip()
            if launcher.wait() != MISSING_PROGRAM or os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        yield json.loads(line)
    finally:
        launcher.stdin.close()
        launcher.wait()
        launcher.stdout.close()
        launcher.stderr.close()


@pytest.fixture(scope="session")
def redis_server():
    """One redis: host, port, socket, pid. Its data is shared by the tests of this process; flush your own."""
    with served("redis") as places:
        yield places["redis"]


@pytest.fixture(scope="session")
def redis_replica():
    """A primary with a replica under "replica"."""
    with served("redis-replica") as places:
        yield places["redis-replica"]


@pytest.fixture(scope="session")
def redis_sentinel():
    """A primary, a replica and three sentinels."""
    with served("redis-sentinel") as places:
        yield places["redis-sentinel"]


@pytest.fixture(scope="session")
def redis_cluster():
    """Three masters with a replica each."""
    with served("redis-cluster") as places:
        yield places["redis-cluster"]


@pytest.fixture(scope="session")
def memcached_server():
    """One memcached: host, port, pid."""
    with served("memcached") as places:
        yield places["memcached"]


@pytest.fixture
def fresh_servers():
    """fresh_servers("redis", …) starts servers for this test alone, which may freeze and kill them."""
    with contextlib.ExitStack() as stack:
        yield lambda *names: stack.enter_context(served(*names))


@pytest.fixture
def frozen():
    """`with frozen(pid):` stops a process (SIGSTOP) for the length of the block."""

    @contextlib.contextmanager
    def freeze(pid):
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    return freeze
