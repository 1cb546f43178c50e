"""What cannot be written: told once on stderr, counted, and told in the file when it works again."""

from __future__ import annotations

import sys


class Outage:
    """The trouble of one file. One thread at a time, as its handler."""

    __slots__ = ("_path", "_rotation", "lost")

    def __init__(self, path: str) -> None:
        self._path = path
        self._rotation = False
        self.lost = 0

    def lose(self, error: OSError) -> None:
        """Counts a record; the first one of an outage is reported."""
        self.lost += 1
        if self.lost == 1:
            self._tell("cannot write", error, "Records are dropped and counted until it works again.")

    def notice(self) -> str:
        """What the file says of the outage that ends now."""
        return f"{self.lost} log record{'s were' if self.lost > 1 else ' was'} lost: {self._path} could not be written"

    def rotation(self, error: OSError | None) -> None:
        """Reports a rotation that failed, once until one succeeds (None)."""
        if error is not None and not self._rotation:
            self._tell("cannot rotate", error, "Records go on into the same file; it is tried again.")
        self._rotation = error is not None

    def upkeep(self, error: OSError) -> None:
        """Reports old files that could be neither removed nor compressed."""
        self._tell("cannot tidy up beside", error, "It is tried again after the next rotation.")

    def _tell(self, act: str, error: OSError, consequence: str) -> None:
        try:
            sys.stderr.write(f"torngas_logger: {act} {self._path}: {error}. {consequence}\n")
        except (AttributeError, OSError, ValueError):
            pass  # no stderr (a daemon), or a closed one: nobody is left to tell
