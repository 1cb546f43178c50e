"""The notes: all of them, and one."""

from typing import Annotated

from base import Api

from notes.models import Change, NewNote, Note, Priority, Search, notes
from torngas.api import Body, Cookie, Form, Header, Path, Problem, Query, endpoint

NoteId = Annotated[int, Path(description="The number of a note.")]


class Notes(Api):
    @endpoint(tags=["notes"])
    async def get(
        self,
        page: Annotated[int, Query(ge=1, le=1000, description="The first is 1.")] = 1,
        per_page: Annotated[int, Query(ge=1, le=100)] = 20,
        priority: Annotated[list[Priority] | None, Query(description="Only notes of these.")] = None,
    ) -> list[Note]:
        """List the notes.

        In the order in which they were written.
        """
        found = [note for note in notes.found.values() if priority is None or note.priority in priority]
        return found[(page - 1) * per_page : page * per_page]

    @endpoint(tags=["notes"], status=201, forbid_unknown=True)
    async def post(
        self, body: Annotated[NewNote, Body(description="The note.", examples=[{"title": "Hello", "tags": ["new"]}])]
    ) -> Note:
        """Write a note."""
        note = notes.add(body)
        self.set_header("Location", self.reverse_url("Note", note.id))
        return note


class Found(Api):
    @endpoint(tags=["notes"])
    async def get(self, wanted: Annotated[Search, Query()]) -> list[Note]:
        """Search the notes."""
        return notes.search(wanted)


class Imported(Api):
    @endpoint(tags=["notes"], status=201)
    async def post(self, body: Annotated[list[NewNote], Body(max_length=50)]) -> list[Note]:
        """Write many notes at once."""
        return [notes.add(one) for one in body]


class OneNote(Api):
    @endpoint(tags=["notes"])
    async def get(self, note_id: NoteId) -> Note:
        """Read a note."""
        return self.found(notes.found.get(note_id))

    @endpoint(tags=["notes"], forbid_unknown=True)
    async def put(self, note_id: NoteId, body: NewNote) -> Note:
        """Replace a note."""
        return self.found(notes.change(note_id, body))

    @endpoint(tags=["notes"], forbid_unknown=True)
    async def patch(self, note_id: NoteId, body: Change) -> Note:
        """Change a part of a note."""
        return self.found(notes.change(note_id, body))

    @endpoint(tags=["notes"])
    async def delete(self, note_id: NoteId) -> None:
        """Throw a note away."""
        self.found(notes.found.pop(note_id, None))

    def found(self, note: Note | None) -> Note:
        if note is None:
            raise Problem(404, "There is no note of this number.")
        return note


class Feedback(Api):
    """What a page's form sends, and what the browser says besides."""

    @endpoint(tags=["feedback"], deprecated=True, forbid_unknown=True)
    async def post(
        self,
        stars: Annotated[int, Form(ge=1, le=5)],
        text: Annotated[str, Form(max_length=500)] = "",
        theme: Annotated[str, Cookie()] = "light",
        dnt: Annotated[bool, Header(description="Whether nothing may be remembered.")] = False,
    ) -> dict[str, str | int | bool]:
        """Say what you think."""
        return {"stars": stars, "length": len(text), "theme": theme, "remembered": not dnt}
