"""What `/readyz` asks of the notes, beside the caches that it knows itself."""

from notes.models import Search, notes


def can_search() -> bool:
    return isinstance(notes.search(Search()), list)
