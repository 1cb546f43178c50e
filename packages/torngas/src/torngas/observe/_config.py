"""From a setting's dictionary to a dataclass of options, and from an extra that is missing to its name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any, TypeVar

from torngas.exception import ConfigError

__all__ = ["configured", "required"]

T = TypeVar("T")


def configured(kind: type[T], setting: str, given: T | Mapping[str, Any] | None) -> T:
    """Makes the options; None gives the defaults, an object of the kind stays what it is.

    Raises:
        ConfigError: an option is unknown or wrong.
    """
    if isinstance(given, kind):
        return given
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(f"{setting}: got {given!r}; expected a dictionary")
    known = [one.name for one in fields(kind)]  # type: ignore[arg-type]  # a dataclass
    for name in given or ():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected some of {known}"
            raise ConfigError(f"{setting}: got the unknown option {name!r}; {hint}")
    return kind(**(given or {}))


def required(module: str, extra: str, user: str) -> Any:
    """Imports what an extra installs.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(f"{user} needs {module.partition('.')[0]}: pip install 'torngas[{extra}]'") from error
