"""Makes text safe for a line: what a terminal or a log reader would obey is written out instead."""

from __future__ import annotations

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def escape(text: str) -> str:
    r"""`text` with every character that is not printable written as `\n`, `\x1b`, `\u2028` and so on.

    Those are the control characters, the line and paragraph separators, the marks that turn the writing direction, and
    lone surrogates. Letters of every language stay.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\u3000" else _SHORT.get(char) or _code(char) for char in text)


def escape_json(line: str) -> str:
    r"""The same for a line of JSON, in which such a character can only stand in a string: always `\uXXXX`."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() or char == "\u3000" else _units(char) for char in line)


def _code(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _units(char: str) -> str:
    data = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[i] << 8 | data[i + 1]:04x}" for i in range(0, len(data), 2))
