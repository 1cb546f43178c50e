"""The disk of the logs and of a file cache is full, and has room again, under a project that goes on serving.

The disk is a small one in memory, mounted where only the served project sees it (a namespace of its own; no privilege
is needed where users may make one).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HANDLERS = """
    from torngas.cache import caches
    from torngas.handler import WebHandler
    from torngas.logger import syslogger

    class Note(WebHandler):
        def get(self, number):
            syslogger.info("note %s. %s", number, "x" * 500)
            self.write("noted")

    class Kept(WebHandler):
        async def get(self, key):
            self.write(str(await caches["kept"].aget(key)))

    class Keep(WebHandler):
        async def get(self, key):
            await caches["kept"].aset(key, "x" * 10_000)
            self.write("kept")
"""
URLS = """
    from torngas import Url, route
    u = Url("notes.handlers")
    urls = route(u(r"/note/(\\d+)", "Note"), u(r"/kept/(\\w+)", "Kept"), u(r"/keep/(\\w+)", "Keep"))
"""
SETTINGS = """
    DEBUG = False
    INSTALLED_APPS = ('notes',)
    MIDDLEWARE_CLASSES = ()
    LOGGING_DIR = 'disk/logs'
    CACHES = {'default': {'BACKEND': 'locmem'}, 'kept': {'BACKEND': 'file', 'LOCATION': 'disk/cache'}}
"""
MOUNTED = 'mkdir disk && mount -t tmpfs -o size=512k none disk && exec "$0" "$@"'


@pytest.fixture
def notes(project, wait_until, monkeypatch):
    """A served project and its small disk."""
    allowed = subprocess.run(["unshare", "-rm", "true"], capture_output=True, text=True, check=False)
    if allowed.returncode:
        message = f"no namespace of mounts can be made: {allowed.stderr.strip()}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    project.write("notes/__init__.py", "")
    project.write("notes/handlers.py", HANDLERS)
    project.write("notes/urls.py", URLS)
    project.settings(SETTINGS)
    python = project.folder / "python"
    python.write_text(f"#!/bin/sh\nexec unshare -rm sh -c '{MOUNTED}' {sys.executable} \"$@\"\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    program = project.start()
    return project, Path(f"/proc/{program.pid}/root{project.folder}/disk")


def fill(disk: Path) -> Path:
    """Takes every byte that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break
    return filler


def test_a_full_disk_costs_lines_that_are_counted_and_no_request(notes, load, tell):
    project, disk = notes
    with load(project.port, lambda number: f"/note/{number}") as clients:
        clients.wait_for(50)
        assert project.get("/keep/before") == "kept"
        filler = fill(disk)
        clients.wait_for(200)
        assert project.fetch("/keep/meanwhile")[0] == 500
        assert project.get("/kept/before") == "x" * 10_000
        clients.wait_for(50)
        filler.unlink()
        clients.wait_for(100)
    assert project.get("/keep/meanwhile") == "kept"
    assert project.get("/kept/meanwhile") == "x" * 10_000
    text = (disk / "logs/torngas_info_log.log").read_text()
    noted = [int(number) for number in re.findall(r"note (\d+)\. x{500}$", text, re.MULTILINE)]
    counted = sum(int(number) for number in re.findall(r"(\d+) log records were lost", text))
    tell(clients.line("disk of logs and file cache full, then not", lost=counted))
    assert not clients.failed
    assert not clients.refused
    assert counted >= 200
    assert len(noted) == len(set(noted))
    assert set(noted) <= {number for number, _ in clients.served}
    assert len(noted) + counted == len(clients.served)
    assert len(re.findall(r"note \d+\.", text)) == len(noted)  # none of them is torn
