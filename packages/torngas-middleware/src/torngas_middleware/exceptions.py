"""What can go wrong while middlewares are registered and run.

Every error derives from `MiddlewareError` and from the builtin that fits, so that `except TypeError` keeps working.
"""

__all__ = ["HookError", "ManagerFrozenError", "MiddlewareError", "MiddlewareImportError", "MiddlewareTypeError"]


class MiddlewareError(Exception):
    """Base class of every error that this library raises."""


class MiddlewareTypeError(MiddlewareError, TypeError):
    """What was registered is no middleware, or cannot be made one."""


class MiddlewareImportError(MiddlewareError, ImportError):
    """A dotted path names nothing that can be imported."""


class ManagerFrozenError(MiddlewareError, RuntimeError):
    """The chains are compiled; nothing more can be registered."""


class HookError(MiddlewareError, TypeError):
    """A hook did what it may not do, such as returning an awaitable where nobody can wait for it."""
