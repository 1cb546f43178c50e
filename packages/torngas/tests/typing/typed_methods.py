"""What type checkers see of typed methods: the parameters stay, the result is what Tornado expects."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, assert_type

from torngas.api import Header, OpenAPI, Problem, ProblemErrors, Query, endpoint
from torngas.application import Application
from torngas.handler import ApiHandler


@dataclass
class Note:
    title: str


class Notes(ProblemErrors, ApiHandler):
    @endpoint(tags=["notes"], summary="Read")
    async def get(self, note_id: int, page: Annotated[int, Query(ge=1)] = 1) -> Note:
        return Note(self.request.path)

    @endpoint(status=201, forbid_unknown=True)
    def post(self, body: Note, if_match: Annotated[str | None, Header()] = None) -> Note:
        return body

    @endpoint()
    async def delete(self, note_id: int) -> None:
        raise Problem(404, "gone", headers={"Retry-After": "1"}, color="red")


async def called(notes: Notes) -> None:
    assert_type(notes.get(1, page=2), Awaitable[None])
    assert_type(notes.post(Note("x")), None)
    await notes.get(note_id=1)
    await notes.get("one")  # type: ignore[arg-type]
    await notes.get()  # type: ignore[call-arg]
    notes.post(Note("x"), if_none_match="y")  # type: ignore[call-arg]


document: dict[str, object] = dict(OpenAPI(Application(), title="Notes"))

endpoint(stats=201)  # type: ignore[call-arg]
endpoint()(3)  # type: ignore[call-overload]
Query(at_least=1)  # type: ignore[call-arg]
Problem("404")  # type: ignore[arg-type]
