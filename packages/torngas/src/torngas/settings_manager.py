"""Settings: the one place that reads a settings module, the command line's choice and the environment.

    from torngas import settings

    settings.DEBUG                     # by attribute
    settings["CACHES"]["default"]      # by item
    settings.SESSION.session_name      # dictionaries either way
    "PROJECT_PATH" in settings

`settings` is a lazy face over one immutable `Settings`, which is made at the first access: from the module that
`--settings=` named, else the environment variable `TORNGAS_APP_SETTINGS`, else the defaults of
`torngas.global_settings` alone. During a request it shows the settings of the application that serves it, so
that two applications with different settings live side by side in one process. It refuses to guess: a module
that does not import is an error, never a silent fallback.

Any key can be overridden by the environment, `TORNGAS_<KEY>`, written as JSON or as a plain string.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from torngas import global_settings
from torngas.exception import ConfigError, SettingNotFound

__all__ = [
    "SETTINGS_MODULE_ENVIRON",
    "LazySettings",
    "Settings",
    "SettingsDict",
    "UnknownSettingWarning",
    "load_settings",
    "settings",
]

SETTINGS_MODULE_ENVIRON = "TORNGAS_APP_SETTINGS"
_ENVIRON_PREFIX = "TORNGAS_"
_COMPLETED = ("SESSION", "TEMPLATE_CONFIG", "TRANSLATIONS_CONF")


class UnknownSettingWarning(UserWarning):
    """A setting whose name is nearly, but not quite, one that the framework knows."""


class SettingsDict(dict[str, Any]):
    """A dictionary-valued setting, read by item and by attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise SettingNotFound(_unknown(name, self)) from None


class Settings(Mapping[str, Any]):
    """The settings of one application: the defaults, overridden by `values` one by one; immutable.

    Args:
        values: The user's settings; only upper-case names count.
        source: What to call them in messages.
        environ: Where to look for `TORNGAS_<KEY>`; None looks nowhere.

    Safe to share between threads and event loops.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        source: str = "settings",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        own = {name: value for name, value in (values or {}).items() if name.isupper()}
        own.update(_from_environ(environ or {}))
        self._source = source
        self._own = frozenset(own)
        merged = {**DEFAULTS, **own}
        for name in _COMPLETED:
            if isinstance(merged[name], Mapping):
                merged[name] = {**DEFAULTS[name], **merged[name]}
        self._values: dict[str, Any] = {name: _frozen(value) for name, value in merged.items()}
        _warn_of_misspelt(self._own, source)

    @property
    def source(self) -> str:
        """Where the values come from: a module's name, or what the maker called them."""
        return self._source

    @property
    def own(self) -> frozenset[str]:
        """The names that were set, here or in the environment, and not left at their defaults."""
        return self._own

    def __getitem__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise SettingNotFound(_unknown(name, self._values)) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Settings of {self._source}: {len(self)} keys, {len(self._own)} set>"


class LazySettings(Mapping[str, Any]):
    """The face that `from torngas import settings` gives; see the module.

    Reading is safe from any thread and loop. `configure`, `reset` and the choice of a module belong to start-up
    and to tests.
    """

    def __init__(self) -> None:
        self._default: Settings | None = None
        self._active: ContextVar[Settings | None] = ContextVar("torngas_settings", default=None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.current, name)

    def __getitem__(self, name: str) -> Any:
        return self.current[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.current)

    def __len__(self) -> int:
        return len(self.current)

    def __contains__(self, name: object) -> bool:
        return name in self.current

    def __repr__(self) -> str:
        return f"<settings: {self._active.get() or self._default or 'not loaded yet'}>"

    @property
    def current(self) -> Settings:
        """The settings of the application that serves this request; outside a request, the process's."""
        if active := self._active.get():
            return active
        if self._default is None:
            self._default = load_settings(os.environ.get(SETTINGS_MODULE_ENVIRON, ""))
        return self._default

    def configure(self, chosen: Settings | Mapping[str, Any]) -> Settings:
        """Makes these the settings of the process, and answers them."""
        self._default = chosen if isinstance(chosen, Settings) else Settings(chosen)
        return self._default

    def reset(self) -> None:
        """Forgets the process's settings; the next access reads their source again."""
        self._default = None

    def activate(self, chosen: Settings) -> None:
        """Shows these settings in the current context (a request's) and in what it calls."""
        self._active.set(chosen)

    @contextlib.contextmanager
    def override(self, **values: Any) -> Iterator[Settings]:
        """Shows other values inside the block, in this context only; for tests."""
        changed = Settings({**self.current, **values}, source=f"{self.current.source}, overridden")
        token = self._active.set(changed)
        try:
            yield changed
        finally:
            self._active.reset(token)


def load_settings(module: str) -> Settings:
    """Imports a settings module; the empty name gives the defaults alone. Overrides come from the environment.

    Raises:
        ConfigError: the module, or something that it imports, does not import.
    """
    if not module:
        return Settings(source="torngas.global_settings", environ=os.environ)
    return Settings(vars(_import(module)), source=module, environ=os.environ)


def _import(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"settings module: got {module!r}, which does not import ({error}); expected the dotted path of a module, "
            f"by --settings= or by {SETTINGS_MODULE_ENVIRON}; start the program from the folder that holds "
            f"{module.partition('.')[0]!r}, or put that folder on PYTHONPATH"
        ) from error


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for variable, text in environ.items():
        if variable.startswith(_ENVIRON_PREFIX) and variable != SETTINGS_MODULE_ENVIRON:
            try:
                found[variable.removeprefix(_ENVIRON_PREFIX)] = json.loads(text)
            except ValueError:
                found[variable.removeprefix(_ENVIRON_PREFIX)] = text
    return found


def _frozen(value: Any) -> Any:
    """A copy that shares no container with the settings module, dictionaries readable by attribute."""
    if isinstance(value, Mapping):
        return SettingsDict({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_frozen(item) for item in value]
    if type(value) is tuple:
        return tuple(_frozen(item) for item in value)
    return value


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"settings: got {name!r}, which is not defined; " + (
        f"did you mean {near[0]!r}?" if near else "define it in the settings module"
    )


def _warn_of_misspelt(own: frozenset[str], source: str) -> None:
    for name in sorted(own - DEFAULTS.keys()):
        if near := difflib.get_close_matches(name, DEFAULTS, n=1, cutoff=0.8):
            message = f"{source}: got the unknown setting {name!r}; did you mean {near[0]!r}?"
            warnings.warn(message, UnknownSettingWarning, stacklevel=4)


DEFAULTS: Mapping[str, Any] = {name: value for name, value in vars(global_settings).items() if name.isupper()}

settings = LazySettings()
