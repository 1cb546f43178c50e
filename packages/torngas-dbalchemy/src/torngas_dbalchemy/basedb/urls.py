"""Database URLs as keywords: `dburl2dict`.

dburl2dict("postgres://james:d%40y@localhost/blog")["pw"]  # 'd@y'
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["dburl2dict"]


def dburl2dict(url: str) -> dict[str, Any]:
    """Takes a URL apart into the keywords of `database`; percent escapes are decoded in each part.

    Args:
        url: `dbn://user:pw@host:port/db?keyword=value`, or `sqlite:///path` with as many slashes as the path needs:
            three for a relative one, four for an absolute one. `dbn+driver` names a driver.

    Returns:
        dbn, user, pw, db, host and port (None for what is missing), for sqlite dbn and db; then the driver, if the
        URL names one, and the keywords of the query.

    Raises:
        ValueError: the port is no number.
    """
    parts = urlsplit(url)
    dbn, _, driver = parts.scheme.partition("+")
    found: dict[str, Any] = {"db": unquote(parts.path[1:]), "dbn": dbn}
    if dbn != "sqlite":
        found.update(user=_decoded(parts.username), pw=_decoded(parts.password))
        found.update(host=_decoded(parts.hostname), port=parts.port)
    if driver:
        found["driver"] = driver
    return found | dict(parse_qsl(parts.query, keep_blank_values=True))


def _decoded(part: str | None) -> str | None:
    return None if part is None else unquote(part)
