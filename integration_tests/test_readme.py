"""The top README: its quick start runs, its two commands exist, its table is complete."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
CHINESE = (ROOT / "README.zh-CN.md").read_text()


@pytest.mark.parametrize(("text", "greeting"), [(README, "Hello, ada!"), (CHINESE, "你好，ada！")], ids=["en", "zh"])
def test_the_quick_start_serves(tmp_path, text, greeting):
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "app.py").write_text(example)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "app.py", f"--port={port}", "--address=127.0.0.1"]
    program = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                body = urllib.request.urlopen(f"http://127.0.0.1:{port}/hello/ada", timeout=60).read()
                break
            except OSError:
                assert program.poll() is None, program.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
        assert body.decode() == greeting
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=60).read() == b'{"hello": "world"}'
    finally:
        program.terminate()
        program.communicate(timeout=20)
    assert program.returncode == 0


@pytest.mark.parametrize("text", [README, CHINESE], ids=["en", "zh"])
def test_the_table_of_packages_is_complete(text):
    listed = set(re.findall(r"\]\(packages/([\w-]+)\) \|", text))
    assert listed == {path.name for path in (ROOT / "packages").iterdir() if (path / "pyproject.toml").exists()}


def test_the_commands_that_it_names_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.search(r"`make (lint [^`]*)`", README)[1].split()) | {"run", "test", "services"}
    assert named <= targets
