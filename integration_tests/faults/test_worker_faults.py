"""A worker process is killed by -9 under load: the others serve, a new one comes, what was acknowledged is kept."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

WORKERS = 3
HANDLERS = """
    import os

    from torngas.handler import WebHandler
    from torngas.logger import syslogger

    class Note(WebHandler):
        def get(self, number):
            syslogger.info("note %s.", number)
            self.write(str(os.getpid()))
"""
URLS = """
    from torngas import Url, route
    urls = route(Url("notes.handlers")(r"/note/(\\d+)", "Note"))
"""


def children(pid: int) -> set[int]:
    return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def test_killed_workers_lose_nothing_that_was_acknowledged(project, load, tell, wait_until):
    project.write("notes/__init__.py", "")
    project.write("notes/handlers.py", HANDLERS)
    project.write("notes/urls.py", URLS)
    project.settings("DEBUG = False\nINSTALLED_APPS = ('notes',)\nMIDDLEWARE_CLASSES = ()\n")
    program = project.start(f"--processes={WORKERS}", f"--logging_dir={project.folder / 'logs'}")
    workers = wait_until(lambda: len(found := children(program.pid)) >= WORKERS and found, "the workers")
    answered = set()
    wait_until(lambda: answered.add(project.get("/note/1000000")) or len(answered) == WORKERS, "all workers' answers")
    with load(project.port, lambda number: f"/note/{number}") as clients:
        clients.wait_for(100)
        for _ in range(2):
            served_by = int(project.get("/note/1000000"))
            os.kill(served_by, signal.SIGKILL)
            wait_until(
                lambda gone=served_by: gone not in children(program.pid) and len(children(program.pid)) >= len(workers),
                "a new worker",
            )
            clients.wait_for(100)
    project.stop()
    text = "".join(
        path.read_text() for path in (project.folder / "logs").glob("torngas_info_log.log*") if "lock" not in path.name
    )
    noted = [int(number) for number in re.findall(r"note (\d+)\.", text)]
    acknowledged = {number for number, _ in clients.served}
    lost = acknowledged - set(noted)
    tell(clients.line("workers killed under load", lost=len(lost)))
    assert not lost
    assert not clients.refused
    assert len(clients.failed) < len(clients.served) / 10
    assert all(noted.count(number) == 1 for number in list(acknowledged)[:50])
