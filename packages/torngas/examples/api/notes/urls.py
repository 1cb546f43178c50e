from torngas import Url, route

u = Url("notes.handlers")
urls = route(
    u.path("/notes", "Notes", name="Notes"),
    u.path("/notes/search", "Found", name="Found"),
    u.path("/notes/import", "Imported", name="Imported"),
    u.path("/notes/<int:note_id>", "OneNote", name="Note"),
    u.path("/feedback", "Feedback", name="Feedback"),
)
