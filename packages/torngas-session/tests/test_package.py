"""The package as a whole: its names, its import, its README."""

import ast
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

import torngas_session

MODULES = [
    info.name
    for info in pkgutil.walk_packages(torngas_session.__path__, "torngas_session.")
    if not info.name.rpartition(".")[2].startswith("_")
]


@pytest.mark.parametrize("name", ["torngas_session", *MODULES])
def test_all_is_sorted_and_equals_what_is_public(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__)
    own = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == name and key != "T"
    }
    assert own <= set(module.__all__)
    for key in module.__all__:
        value = getattr(module, key)
        assert value.__doc__ or (not inspect.isroutine(value) and not inspect.isclass(value)), key


def test_importing_opens_starts_and_loads_nothing():
    code = (
        "import sys, threading, logging, socket\n"
        "before = list(logging.getLogger().handlers)\n"
        "socket.socket.connect = None\n"
        "import torngas_session\n"
        "assert threading.active_count() == 1\n"
        "assert logging.getLogger().handlers == before\n"
        "assert not logging.getLogger('torngas_session').handlers\n"
        "import asyncio\n"
        "assert asyncio._get_running_loop() is None\n"
        "assert asyncio.events._event_loop_policy is None\n"
        "print(*[name for name in ('sqlalchemy', 'sqlite3', 'msgpack', 'redis') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_no_module_is_longer_than_the_ceiling():
    for path in Path(torngas_session.__file__).parent.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path.name


def test_no_function_is_longer_than_forty_lines():
    for path in Path(torngas_session.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert length <= 40, f"{path.name}: {node.name}"


async def test_the_readmes_example_runs(serve, manage):
    readme = Path(__file__).parents[1] / "README.md"
    assert len(readme.read_text().splitlines()) <= 120
    [block] = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    names = {}
    exec(compile(block, str(readme), "exec"), names)
    [socket] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(names["application"])
    server.add_socket(socket)
    borrowed = serve(manage()).browser()
    borrowed.port = socket.getsockname()[1]
    try:
        assert json.loads((await borrowed.get("/")).body) == {"visits": 1, "said": []}
        before = dict(borrowed.cookies)
        assert (await borrowed.get("/login", method="POST")).code == 302
        assert borrowed.cookies != before
        assert json.loads((await borrowed.get("/")).body) == {"visits": 2, "said": [["success", "Welcome back."]]}
        assert names["sessions"].revoke_all("ada") == 1
    finally:
        server.stop()
        await server.close_all_connections()
