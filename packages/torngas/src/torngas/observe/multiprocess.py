"""One set of numbers for all worker processes: the folder that they share, and the end of each of them.

prometheus-client keeps each process's numbers in files of a folder, which the environment names before anything
imports it. `SharedMetrics` makes the folder for one run of a server, and removes it afterwards.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping

from torngas.observe._registry import FOLDER_VARIABLE

__all__ = ["SharedMetrics"]


class SharedMetrics:
    """The folder of one run; use it in a `with` block round the life of the workers.

    A folder that the environment names already stays whose it is: it is neither emptied nor removed.

    Args:
        wanted: Whether there are metrics at all; without, nothing is made and `environ` is empty.

    Attributes:
        environ: What the workers' environment needs beside this process's.
    """

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted
        self._made: str | None = None
        self._folder = ""
        self.environ: Mapping[str, str] = {}

    def __enter__(self) -> SharedMetrics:
        if self._wanted:
            self._folder = os.environ.get(FOLDER_VARIABLE, "")
            if not self._folder:
                self._folder = self._made = tempfile.mkdtemp(prefix="torngas-metrics-")
            self.environ = {FOLDER_VARIABLE: self._folder}
        return self

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)
            self._made = None

    def ended(self, pid: int) -> None:
        """A worker is gone: what it held is no longer held, what it counted stays counted."""
        if self._folder:
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(pid, self._folder)  # type: ignore[no-untyped-call]
