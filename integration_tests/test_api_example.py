"""The example of an API, as a program: what it promises in its OpenAPI document is tried out by schemathesis.

Needs the development environment, which brings schemathesis and openapi-spec-validator.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

API = Path(__file__).resolve().parents[1] / "packages/torngas/examples/api"
EXAMPLES = 4  # of each operation, beside the edge cases
SERVE = """
import asyncio, sys
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from torngas.testing.project import project_application

async def serve(application):
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(application)
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.stop()
    await server.close_all_connections()

sys.path.insert(0, ".")
with project_application("settings.settings") as application:
    asyncio.run(serve(application))
"""
# What a key was used for, and which version an order has, is state that no schema tells.
CONFIGURATION = """
[[operations]]
include-name = "POST /orders"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "409", "422"]

[[operations]]
include-name = "PUT /orders/{order_id}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "412", "428"]
warnings = false

[[operations]]
include-name = "GET /orders/{order_id}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "401", "404", "412"]
"""
CLI = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"

pytestmark = pytest.mark.xdist_group("api-example")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TORNGAS_")}


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """The example, served at a port that the kernel chose; it ends when its input does."""
    output = tmp_path_factory.mktemp("api") / "output.txt"
    with (
        output.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=API,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as program,
    ):
        assert program.stdout
        line = program.stdout.readline()
        assert line, output.read_text()
        yield int(line)
        assert program.stdin
        program.stdin.close()
        assert program.wait(30) == 0, output.read_text()
    assert "Traceback" not in output.read_text()


def fetch(port: int, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        sent = None if body is None else json.dumps(body)
        given = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, sent, {**given, **headers})
        response = connection.getresponse()
        text = response.read().decode()
        kind = response.headers.get_content_type()
        return response.status, json.loads(text) if kind.endswith("json") else text, kind
    finally:
        connection.close()


def test_schemathesis_finds_nothing(port, tmp_path):
    """Examples, edge cases, made-up requests and sequences of them: answers are as documented, none is a 5xx."""
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    _, login, _ = fetch(port, "/tokens", "POST", {"name": "ada", "password": "correct horse"})
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CLI,
            "--no-color",
            "run",
            f"--header=Authorization: Bearer {login['token']}",
            "--exclude-name=DELETE /tokens/{token_id}",  # it finds out, and ends, the token that it was given
            f"http://127.0.0.1:{port}/openapi.json",
            f"--max-examples={EXAMPLES}",
            "--generation-deterministic",
            "--checks=all",
            "--request-timeout=30",
        ],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tested: [1-9]", done.stdout), done.stdout  # warnings, as of data that are not there, may be


def test_the_document_is_valid_and_names_everything(port):
    from openapi_spec_validator import validate

    status, document, kind = fetch(port, "/openapi.json")
    assert (status, kind) == (200, "application/json")
    validate(document)
    assert document["info"]["title"] == "Notes"
    assert {"/notes", "/notes/{note_id}", "/notes/search", "/feedback"} <= document["paths"].keys()


def test_a_note_from_beginning_to_end(port):
    status, note, _ = fetch(port, "/notes", "POST", {"title": "Hello", "tags": ["new"]})
    assert status == 201
    address = f"/notes/{note['id']}"
    assert fetch(port, address)[1] == note
    assert fetch(port, address, "PATCH", {"priority": "high"})[1] == {**note, "priority": "high"}
    assert note["id"] in [one["id"] for one in fetch(port, "/notes/search?text=hello&order=newest")[1]]
    assert fetch(port, address, "DELETE")[0] == 204
    status, problem, kind = fetch(port, address)
    assert (status, kind) == (404, "application/problem+json")
    assert problem["detail"] == "There is no note of this number."
    assert problem["request_id"]


def test_all_mistakes_come_at_once(port):
    status, problem, kind = fetch(port, "/notes", "POST", {"tags": ["A", "b", "C"], "color": "red"})
    assert (status, kind) == (422, "application/problem+json")
    assert [(one["pointer"], one["detail"]) for one in problem["errors"]] == [
        ("/title", "Required"),
        ("/tags/0", "Expected `str` matching regex '^[a-z]{1,20}$'"),
        ("/tags/2", "Expected `str` matching regex '^[a-z]{1,20}$'"),
        ("/color", "Unknown field"),
    ]


def test_what_no_method_answers_is_a_problem_too(port):
    assert fetch(port, "/nowhere")[::2] == (404, "application/problem+json")
    assert fetch(port, "/notes/1", "POST")[::2] == (405, "application/problem+json")


def test_the_page_is_there(port):
    status, page, kind = fetch(port, "/docs")
    assert (status, kind) == (200, "text/html")
    assert "docs/docs.js" in page


def test_the_program_serves_it(tmp_path):
    """`python runserver.py`, at a socket in the file system."""
    place = tmp_path / "s"
    output = tmp_path / "output.txt"
    with (
        output.open("w") as written,
        subprocess.Popen(
            [sys.executable, "runserver.py", f"--unix_socket={place}"],
            cwd=API,
            env={**environment(), "TORNGAS_LOGGING_DIR": str(tmp_path)},
            stdout=written,
            stderr=subprocess.STDOUT,
        ) as program,
    ):
        try:
            answer = _answer(place, program, output)
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(30)
    assert answer.startswith(b"HTTP/1.1 200 OK")


def _answer(place: Path, program: subprocess.Popen[bytes], output: Path) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        assert program.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        with socket.socket(socket.AF_UNIX) as one:
            try:
                one.connect(str(place))
            except OSError:
                time.sleep(0.05)
                continue
            one.settimeout(30)
            one.sendall(b"GET /notes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            found = b""
            while chunk := one.recv(65536):
                found += chunk
            return found
