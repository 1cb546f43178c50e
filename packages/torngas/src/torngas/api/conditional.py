"""Conditional requests: nothing sent twice, and no change lost (RFC 9110 §13).

    class Note(ConditionalMixin, ApiHandler):
        require_precondition = True                         # 428 for a change that does not say of which version

        def get(self, key):
            note = find(key)
            self.check_preconditions(strong_etag(note.version))       # 304 where the client has it
            self.write(note.as_dict())

        def put(self, key):
            note = find_for_update(key)                     # a lock, or a version in the UPDATE's condition
            self.check_preconditions(strong_etag(note.version))       # 412 where somebody was faster
            note.change(self.request.body)
            self.set_header("ETag", strong_etag(note.version))

A check is only as good as what lies between it and the change: do both in one transaction that locks the row.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar

from tornado.web import Finish

from torngas.api._denials import deny
from torngas.exception import ArgumentError

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["ConditionalMixin", "strong_etag"]

_ETAG = re.compile(r'(?:W/)?"[!#-~\x80-\xff]*"')
_LIST = re.compile(r'\s*((?:W/)?"[!#-~\x80-\xff]*")\s*(?:,|$)')
_HTTP_DATES = re.compile(
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"  # RFC 9110 §5.6.7: IMF-fixdate, RFC 850, asctime
    r"|[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
)


def strong_etag(*parts: Any) -> str:
    """An entity tag, in its quotes, that differs whenever a part does: versions, ids, bytes of the representation."""
    digest = hashlib.sha256()
    for part in parts:
        octets = b"b" + part if isinstance(part, bytes) else b"r" + repr(part).encode()
        digest.update(len(octets).to_bytes(8) + octets)  # the length, so that no part can end elsewhere
    return f'"{digest.hexdigest()[:32]}"'


class ConditionalMixin(_Base):
    """Stands before the handler class in the bases.

    Attributes:
        require_precondition: Whether PUT, PATCH and DELETE need If-Match or If-Unmodified-Since (or If-None-Match), so
            that no change is lost; without one they get 428 (RFC 6585 §3).
    """

    require_precondition: ClassVar[bool] = False

    def check_preconditions(self, etag: str | None = None, modified: datetime | None = None) -> None:
        """Compares the request's conditions with the resource as it is, before anything is done to it.

        GET and HEAD get the ETag and Last-Modified headers.

        Args:
            etag: The entity tag in its quotes, weak ones with `W/` before them; None where there is none. Both None:
                the resource does not exist.
            modified: When it was changed last; without a time zone it is UTC.

        Raises:
            Finish: the response is decided: 304, 412 or 428.
            ArgumentError: the tag has no quotes, or holds what a tag cannot.
        """
        if etag is not None and not _ETAG.fullmatch(etag):
            raise ArgumentError(
                f"check_preconditions: got the tag {etag!r}; expected it in quotes, e.g. strong_etag(version)"
            )
        reading = self.request.method in ("GET", "HEAD")
        seconds = None if modified is None else _in_seconds(modified)
        if reading:
            self._set_validators(etag, seconds)
        elif self.require_precondition and self.request.method in ("PUT", "PATCH", "DELETE"):
            self._demand_precondition()
        self._check_match(etag, seconds, exists=etag is not None or modified is not None)
        if self._is_known(etag, seconds, reading, exists=etag is not None or modified is not None):
            if not reading:
                self._fail(etag)
            self.set_status(304)
            raise Finish

    def _check_match(self, etag: str | None, modified: datetime | None, exists: bool) -> None:
        """If-Match, and only without it If-Unmodified-Since (§13.2.2, steps 1 and 2)."""
        headers = self.request.headers
        if "If-Match" in headers:
            wanted = headers["If-Match"].strip()
            # A weak tag never fits: two versions may share it (§8.8.3.2).
            strong = etag is not None and not etag.startswith("W/")
            if not (exists if wanted == "*" else strong and etag in _tags(wanted)):
                self._fail(etag)
        elif modified is not None and (since := _http_date(headers.get("If-Unmodified-Since"))) and modified > since:
            self._fail(etag)

    def _is_known(self, etag: str | None, modified: datetime | None, reading: bool, exists: bool) -> bool:
        """If-None-Match, and only without it If-Modified-Since (§13.2.2, steps 3 and 4)."""
        headers = self.request.headers
        if "If-None-Match" in headers:
            wanted = headers["If-None-Match"].strip()
            if wanted == "*":
                return exists
            return etag is not None and _opaque(etag) in {_opaque(tag) for tag in _tags(wanted)}
        since = _http_date(headers.get("If-Modified-Since")) if reading else None
        return since is not None and modified is not None and modified <= since

    def _demand_precondition(self) -> None:
        if not any(name in self.request.headers for name in ("If-Match", "If-Unmodified-Since", "If-None-Match")):
            deny(
                self,
                428,
                "say which version you change: send its ETag in If-Match, as GET answers it, or If-Unmodified-Since",
            )

    def _fail(self, etag: str | None) -> None:
        headers = [("ETag", etag)] if etag is not None else []
        deny(self, 412, "the resource is not in the state that the request's conditions name", headers=headers)

    def _set_validators(self, etag: str | None, modified: datetime | None) -> None:
        if etag is not None:
            self.set_header("ETag", etag)
        if modified is not None:
            self.set_header("Last-Modified", format_datetime(modified, usegmt=True))


def _tags(value: str) -> set[str]:
    """The entity tags of a list; nothing if any part of it is none, so that a broken header never fits."""
    found, position = set(), 0
    while position < len(value):
        part = _LIST.match(value, position)
        if part is None:
            return set()
        found.add(part[1])
        position = part.end()
    return found


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def _in_seconds(moment: datetime) -> datetime:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(microsecond=0)


def _http_date(value: str | None) -> datetime | None:
    """The date; None for what is none, which is ignored (§13.1.3, §13.1.4)."""
    if value is None or not _HTTP_DATES.fullmatch(value):
        return None
    try:
        return _in_seconds(parsedate_to_datetime(value))
    except ValueError:
        return None
