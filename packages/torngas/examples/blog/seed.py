"""A dozen posts, so that the first look is not empty."""

from datetime import UTC, datetime, timedelta

from accounts.models import User
from posts.models import Post, Tag

from torngas.db.dbalchemy import get_connector

POSTS = (
    ("Hello, Tornado", "tornado", "One process, one loop, thousands of connections. Nothing here waits for anything."),
    ("Settings are one module", "settings", "Every key has a default, every key can be overridden by the environment."),
    (
        "Routes that do not slow down",
        "routes",
        "A thousand routes cost what ten do: exact paths are looked up.",
    ),
    ("Seven hooks round a request", "middleware", "A hook that nobody uses costs nothing, and the order is a table."),
    (
        "Modules for chosen routes",
        "modules",
        "The staff's pages are closed by one line in the settings.",
    ),
    ("Sessions that merge", "session", "Fifty requests that set fifty keys at once keep all fifty of them."),
    ("Caches without stampedes", "cache", "When an entry expires, one request computes it anew and the others wait."),
    ("Signals, sync and async", "signals", "This page's cache is emptied by a signal when a post is saved."),
    ("Primary and replicas", "database", "Reads go to replicas, writes to the primary, and you read what you wrote."),
    ("Logs that lose nothing", "logging", "Many processes write one file, one of them rotates it, no line is lost."),
    ("Templates, three engines", "templates", "Tornado's own, jinja2 or mako: the same names in each of them."),
    ("Live by WebSocket", "tornado, live", "Open this post in two windows, log in, and comment in one of them."),
)


def fill_if_empty() -> None:
    connector = get_connector()
    connector.create_db()
    with connector.get_conn().session() as session:
        if session.query(User).first() is not None:
            return
        ada = User(name="ada", staff=True)
        ada.set_password("lovelace")
        tags = {}
        start = datetime.now(UTC) - timedelta(days=len(POSTS))
        for day, (title, names, text) in enumerate(POSTS):
            chosen = [tags.setdefault(name, Tag(name=name)) for name in names.split(", ")]
            post = Post(title=title, text=text, author=ada, tags=chosen, written=start + timedelta(days=day))
            session.add(post)
        session.commit()
