"""Dotted paths in settings -> the objects that they name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torngas.exception import ConfigError

__all__ = ["named"]


def named(where: str, given: Any, expected: str) -> Any:
    """Answers what a dotted path names; anything that is no string is answered as it is.

    Args:
        where: The setting, for the message.
        given: The path, or the object itself.
        expected: What should have been given, for the message.

    Raises:
        ConfigError: the path does not import.
    """
    if not isinstance(given, str):
        return given
    module, _, name = given.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{where}: got {given!r}, which does not import ({error}); expected {expected}") from error
