"""The framework's errors, and HTTP errors by name.

Every error of the framework derives from `BaseError`; its message says where, what was got, what was expected,
and the remedy. `UrlError` is the router's own class. The HTTP errors are Tornado's `HTTPError` with the status
filled in: their first argument is the log message, as in 1.8.

    raise Http404("no post %s", post_id)
"""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError

from torngas_router import UrlError

__all__ = [
    "ArgumentError",
    "BaseError",
    "ConfigError",
    "Http404",
    "Http500",
    "HttpBadRequestError",
    "HttpForbiddenError",
    "HttpNotAllowError",
    "NotCallableError",
    "SettingNotFound",
    "UrlError",
]


class BaseError(Exception):
    """What every error of the framework derives from."""


class ArgumentError(BaseError, TypeError):
    """A call got something that it cannot use."""


class ConfigError(BaseError, ValueError):
    """A setting, an option or an installed app is wrong; the message names it and the remedy."""


class NotCallableError(BaseError, TypeError):
    """Something that must be called is not callable."""


class SettingNotFound(ConfigError, AttributeError, KeyError):
    """A setting that nobody defined; an AttributeError too, so that `hasattr` and `getattr` with a default work."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class _NamedHTTPError(HTTPError):
    """An HTTPError whose status is the class's."""

    status = 500

    def __init__(self, log_message: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(self.status, log_message, *args, **kwargs)


class HttpBadRequestError(_NamedHTTPError):
    """400: the request cannot be understood."""

    status = 400


class HttpForbiddenError(_NamedHTTPError):
    """403: understood, and refused."""

    status = 403


class Http404(_NamedHTTPError):
    """404: nothing stands at this address."""

    status = 404


class HttpNotAllowError(_NamedHTTPError):
    """405: the address exists, the method does not."""

    status = 405


class Http500(_NamedHTTPError):
    """500: the server failed."""

    status = 500
