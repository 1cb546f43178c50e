"""What a note is, and where notes are kept: in the memory of this process."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Annotated, Literal

import msgspec

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120, description="One line, shown in lists.")]
Tag = Annotated[str, msgspec.Meta(pattern="^[a-z]{1,20}$", description="A word in lower case.")]
Priority = Literal["low", "normal", "high"]


class NewNote(msgspec.Struct, kw_only=True):
    """What a client sends."""

    title: Title
    text: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    priority: Priority = "normal"
    tags: Annotated[list[Tag], msgspec.Meta(max_length=10)] = []


class Note(NewNote, kw_only=True):
    """What a client gets."""

    id: int
    written: datetime


@dataclass
class Notes:
    """The notes by number."""

    found: dict[int, Note] = field(default_factory=dict)
    numbers: count = field(default_factory=lambda: count(1))

    def add(self, new: NewNote) -> Note:
        number = next(self.numbers)
        self.found[number] = Note(id=number, written=datetime.now(UTC), **msgspec.structs.asdict(new))
        return self.found[number]

    def replace(self, number: int, new: NewNote) -> Note | None:
        former = self.found.get(number)
        if former is None:
            return None
        self.found[number] = msgspec.structs.replace(former, **msgspec.structs.asdict(new))
        return self.found[number]


notes = Notes()
notes.add(NewNote(title="Read the documentation", priority="high", tags=["start"]))
notes.add(NewNote(title="Send a request from it", text="The form sends what you would send."))
