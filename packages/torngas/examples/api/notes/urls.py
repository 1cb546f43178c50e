from torngas import Url, route

u = Url("notes.handlers")
urls = route(
    u.path("/notes", "Notes", name="Notes"),
    u.path("/notes/<int:note_id>", "OneNote", name="Note"),
)
