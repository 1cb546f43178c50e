"""What the library raises and warns of."""

from __future__ import annotations

__all__ = ["HttpModuleError", "ModuleConfigError", "ModuleImportError", "UnmatchedKeyWarning"]


class HttpModuleError(Exception):
    """The base of all errors of this library."""


class ModuleConfigError(HttpModuleError, ValueError):
    """The declaration of modules is wrong; raised as the application is built."""


class ModuleImportError(ModuleConfigError, ImportError):
    """A dotted path leads to no module class."""


class UnmatchedKeyWarning(UserWarning):
    """A key of the route modules that no route of the application can match."""
