"""The notes: all of them, and one."""

from typing import Annotated

from base import Api

from notes.models import NewNote, Note, Priority, notes
from torngas.api import Problem, Query, endpoint


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
    async def post(self, body: NewNote) -> Note:
        """Write a note."""
        note = notes.add(body)
        self.set_header("Location", self.reverse_url("Note", note.id))
        return note


class OneNote(Api):
    @endpoint(tags=["notes"])
    async def get(self, note_id: int) -> Note:
        """Read a note."""
        return self.found(notes.found.get(note_id))

    @endpoint(tags=["notes"], forbid_unknown=True)
    async def put(self, note_id: int, body: NewNote) -> Note:
        """Change a note."""
        return self.found(notes.replace(note_id, body))

    @endpoint(tags=["notes"])
    async def delete(self, note_id: int) -> None:
        """Throw a note away."""
        self.found(notes.found.pop(note_id, None))

    def found(self, note: Note | None) -> Note:
        if note is None:
            raise Problem(404, "There is no note of this number.")
        return note
