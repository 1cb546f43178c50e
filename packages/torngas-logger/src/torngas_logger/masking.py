"""Keeps credentials and ids out of log files.

    handler.addFilter(MaskingFilter())
    log.info("headers: %s", {"Authorization": "Bearer abc"})      ->  headers: {'Authorization': '***'}

It works on text, by names: a secret that stands without its name is not recognized.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable, Mapping

__all__ = ["HEADERS", "MASK", "MaskingFilter", "NAMES"]

MASK = "***"
#: Headers whose value is masked to its end.
HEADERS = ("authorization", "proxy-authorization", "cookie", "set-cookie")
#: Names of fields, arguments and cookies whose value is masked, also as the last part of a longer name (`db_password`).
NAMES = (
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "client_secret",
    "cookie_secret",
    "csrf_token",
    "csrftoken",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "refresh_token",
    "secret",
    "secret_key",
    "session_id",
    "session_key",
    "sessionid",
    "token",
    "tornadoid",
    "tornadossid",
    "xsrf",
)
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# Quoted, quoted within a quoted text, or a quote that nothing closes.
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\"[^"\\]*\\"|\\'[^'\\]*\\'|\\?["'][^\r\n]*)"""
_LINKS = r"""(?:\s*(?:=>|=|:)\s*|(?<=["'])\s*,\s*)(?:b(?=["']))?"""
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)


class MaskingFilter(logging.Filter):
    """Replaces secrets in a record's message, `extra` fields, traceback and stack by `***`. It drops nothing.

    The record itself is changed, so the handlers that follow see no secret either. Safe in threads.

    Args:
        names: Names of fields, arguments and cookies, in any case; they replace `NAMES`. To add one: `[*NAMES, "pin"]`.
        headers: Names of headers; they replace `HEADERS`.
    """

    def __init__(self, names: Iterable[str] = NAMES, headers: Iterable[str] = HEADERS) -> None:
        super().__init__()
        names, headers = tuple(names), tuple(headers)
        self._name = re.compile(rf"(?:^|.*[^A-Za-z0-9])(?:{_either([*names, *headers])})_?$", re.IGNORECASE)
        self._patterns = (
            _pattern(headers, rf"(?:{_QUOTED}|[^\r\n]+)"),
            _pattern(names, rf"(?:{_QUOTED}|(?:(?:bearer|basic)\s+)?[^\s,;&\"'<>)\]}}\\]+)"),
        )
        self._words = tuple(name.lower() for name in (*names, *headers))

    def filter(self, record: logging.LogRecord) -> bool:
        """Masks the record; always True."""
        self._mask_message(record)
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if record.exc_text:
            record.exc_text = self.mask(record.exc_text)
        if record.stack_info:
            record.stack_info = self.mask(record.stack_info)
        for key in record.__dict__.keys() - _STANDARD:
            record.__dict__[key] = self.mask_value(key, record.__dict__[key])
        return True

    def mask(self, text: str) -> str:
        """`text` with the values of all names and headers, and the passwords in addresses, replaced."""
        lower = text.lower()
        for word in self._words:
            if word in lower:  # a tenth of the time that the patterns take to find nothing
                for pattern in self._patterns:
                    text = pattern.sub(_replacement, text)
                break
        return _USERINFO.sub(rf"\1{MASK}", text) if "://" in text else text

    def mask_value(self, name: str, value: object) -> object:
        """A field of this name: masked whole if the name says so, else in its depths. `value` is not changed."""
        if value is not None and self._name.match(name):
            return MASK
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, bytes):
            return self.mask(value.decode("utf-8", "backslashreplace"))
        if isinstance(value, Mapping):
            return {key: self.mask_value(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.mask_value("", item) for item in value]
        return value

    def _mask_message(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            return  # the formatter meets the same error, and the handler reports it
        if (masked := self.mask(message)) != message:
            record.msg, record.args = masked, None


def _either(names: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or r"(?!)"


def _pattern(names: Iterable[str], value: str) -> re.Pattern[str]:
    # The name, an end of quotes round it, a sign between, the value. What precedes the name may be the rest of a
    # longer name, but no letter: "token" is not the end of "broken". `b` is the mark of bytes.
    name = rf"""(?<![A-Za-z0-9])(?:{_either(names)})_?(?![\w-])"""
    return re.compile(rf"""(?P<name>{name}\\?["']?{_LINKS})(?P<value>{value})""", re.IGNORECASE)


def _replacement(match: re.Match[str]) -> str:
    value = match["value"]
    quote = re.match(r"""\\?["']""", value)
    return f"{match['name']}{quote[0]}{MASK}{quote[0]}" if quote else f"{match['name']}{MASK}"
