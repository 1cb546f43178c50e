"""What a note is, and where notes are kept: in the memory of this process."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from itertools import count
from typing import Annotated, Literal

import msgspec

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120, description="One line, shown in lists.")]
Tag = Annotated[str, msgspec.Meta(pattern="^[a-z]{1,20}$", description="A word in lower case.")]
Priority = Literal["low", "normal", "high"]


class Order(Enum):
    """What lists begin with."""

    OLDEST = "oldest"
    NEWEST = "newest"


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


class Change(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What of a note shall be different; what is left out stays."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    text: str | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET


@dataclass
class Search:
    """What a note must have to be found."""

    text: str = ""
    tags: list[str] = field(default_factory=list)
    since: datetime | None = None
    order: Order = Order.OLDEST

    def finds(self, note: Note) -> bool:
        return (
            self.text.lower() in f"{note.title} {note.text}".lower()
            and set(self.tags) <= set(note.tags)
            and (self.since is None or note.written >= self.since.astimezone(UTC))
        )


@dataclass
class Notes:
    """The notes by number."""

    found: dict[int, Note] = field(default_factory=dict)
    numbers: count = field(default_factory=lambda: count(1))

    def add(self, new: NewNote) -> Note:
        number = next(self.numbers)
        self.found[number] = Note(id=number, written=datetime.now(UTC), **msgspec.structs.asdict(new))
        return self.found[number]

    def change(self, number: int, new: NewNote | Change) -> Note | None:
        former = self.found.get(number)
        if former is None:
            return None
        given = {name: value for name, value in msgspec.structs.asdict(new).items() if value is not msgspec.UNSET}
        self.found[number] = msgspec.structs.replace(former, **given)
        return self.found[number]

    def search(self, wanted: Search) -> list[Note]:
        found = [note for note in self.found.values() if wanted.finds(note)]
        return found[::-1] if wanted.order is Order.NEWEST else found


notes = Notes()
notes.add(NewNote(title="Read the documentation", priority="high", tags=["start"]))
notes.add(NewNote(title="Send a request from it", text="The form sends what you would send."))
