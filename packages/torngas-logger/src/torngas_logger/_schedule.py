"""When a file is due, and the date in the name of a rotated one: the rules of `TimedRotatingFileHandler`.

Local midnights are calendar days, so days of 23 and 25 hours are whole days here.
"""

from __future__ import annotations

import calendar
import datetime
import math
import time

from torngas_logger.errors import LoggerConfigError

_DATE = "%Y-%m-%d"
_UNITS = {
    "S": (1, "%Y-%m-%d_%H-%M-%S"),
    "M": (60, "%Y-%m-%d_%H-%M"),
    "H": (3600, "%Y-%m-%d_%H"),
    "D": (86400, _DATE),
}
_DAY = 86400
_SUMMER_TIME = 7200  # more than any zone moves its clocks at once


class Schedule:
    """Boundaries in time at which a file is rotated.

    Args:
        when: "S", "M", "H", "D", "MIDNIGHT" or "W0" (Monday) … "W6", in any case.
        interval: How many of these units; at least 1.
        utc: Whether days and names are those of UTC instead of local time.
        at_time: The time of day at which "MIDNIGHT" and "W…" rotate; None is 00:00.
    """

    __slots__ = ("_at", "_days", "_format", "_interval", "_seconds", "_utc", "_weekday", "rule", "span")

    def __init__(
        self, when: str, interval: int = 1, *, utc: bool = False, at_time: datetime.time | None = None
    ) -> None:
        unit = when.upper()
        if interval < 1 or interval != int(interval):
            raise LoggerConfigError(f"interval: got {interval!r}; expected a whole number from 1 on.")
        self._weekday = _weekday(unit)
        self._interval = int(interval)
        self._days = self._interval * (1 if self._weekday is None else 7) if unit not in _UNITS else 0
        per_unit, self._format = _UNITS.get(unit, (_DAY, _DATE))
        self._seconds = per_unit * self._interval
        self._utc = utc
        self._at = at_time or datetime.time()
        #: The longest distance of two boundaries, in seconds.
        self.span = self._days * _DAY + _SUMMER_TIME if self._days else self._seconds
        #: Equal rules have equal boundaries; kept beside them, so that a changed configuration is noticed.
        self.rule = f"{unit}/{interval}/{'utc' if utc else 'local'}/{self._at.isoformat()}"

    def following(self, instant: float, boundary: float | None = None) -> float:
        """The first boundary after `instant`; `boundary`, an earlier one, keeps the grid of S, M, H and D."""
        if self._days:
            return self._following_day(instant)
        if boundary is None:
            return int(instant) + self._seconds
        return boundary + self._seconds * (math.floor((instant - boundary) / self._seconds) + 1)

    def label(self, boundary: float) -> str:
        """The stamp of the interval that ends at `boundary`: its start."""
        if not self._days:
            return time.strftime(self._format, self._parts(boundary - self._seconds))
        parts = self._parts(boundary)
        start = datetime.date(parts.tm_year, parts.tm_mon, parts.tm_mday) - datetime.timedelta(days=self._days)
        return start.strftime(self._format)

    def _following_day(self, instant: float) -> float:
        parts = self._parts(instant)
        days = 0 if self._weekday is None else (self._weekday - parts.tm_wday) % 7
        step = 1 if self._weekday is None else 7
        while (candidate := self._instant(parts, days)) <= instant:
            days += step
        return candidate if self._interval == 1 else self._instant(parts, days + step * (self._interval - 1))

    def _parts(self, instant: float) -> time.struct_time:
        return time.gmtime(instant) if self._utc else time.localtime(instant)

    def _instant(self, day: time.struct_time, later: int) -> float:
        at = self._at
        date = datetime.date(day.tm_year, day.tm_mon, day.tm_mday) + datetime.timedelta(days=later)
        wanted = (date.year, date.month, date.day, at.hour, at.minute, at.second, -1, -1, -1)
        return calendar.timegm(wanted) if self._utc else time.mktime(wanted)


def _weekday(unit: str) -> int | None:
    if unit in _UNITS or unit == "MIDNIGHT":
        return None
    if len(unit) == 2 and unit[0] == "W" and unit[1] in "0123456":
        return int(unit[1])
    raise LoggerConfigError(f"when: got {unit!r}; expected S, M, H, D, midnight or W0 (Monday) to W6 (Sunday).")
