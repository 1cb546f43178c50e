"""A path that a route answers, made from its pattern; used to ask which modules run for it."""

from __future__ import annotations

import re

from torngas_router.description import RouteInfo

__all__ = ["sample_path"]

_TYPED = re.compile(r"(?<!\?P)<(?:(\w+):)?\w+>")
_TYPES = {"uuid": "00000000-0000-4000-8000-000000000000", "date": "2000-01-01"}
_TOKEN = re.compile(
    r"(?P<open>\((?:\?:|\?P<\w+>)?)|(?P<close>\))|(?P<or>\|)"
    r"|(?P<kind>\[\^?\]?(?:\\.|[^\]\\])*\]|\\[dwsDWS]|\.)|\\(?P<escaped>.)|(?P<edge>[$^])|(?P<literal>.)",
    re.DOTALL,
)
_QUANTIFIER = re.compile(r"(?:([?*])|(\+)|\{(\d*)[^}]*\})[?+]?")
_TRIED = "1aA-_ "


def sample_path(info: RouteInfo) -> str:
    """Answers a path for the route; where its expression is too clever for this, one that begins like it."""
    pattern = _TYPED.sub(lambda one: _TYPES.get(one[1] or "", "1"), info.pattern)
    return _Sample(pattern).read() or "/"


class _Sample:
    """Reads an expression from left to right, taking first alternatives and leaving out what may be missing."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def read(self) -> str:
        """Answers the text up to the end, or to the parenthesis that closes the group."""
        taken, skipping = "", False
        while token := _TOKEN.match(self._pattern, self._at):
            self._at = token.end()
            if token["close"]:
                break
            if token["or"]:
                skipping = True
                continue
            text = self.read() if token["open"] else _text(token)
            text *= self._times()
            taken += "" if skipping else text
        return taken

    def _times(self) -> int:
        found = _QUANTIFIER.match(self._pattern, self._at)
        if found is None:
            return 1
        self._at = found.end()
        return 0 if found[1] else 1 if found[2] else int(found[3] or 0)


def _text(token: re.Match[str]) -> str:
    if token["kind"]:
        return next((one for one in _TRIED if re.fullmatch(token["kind"], one)), "")
    return token["escaped"] or token["literal"] or ""
