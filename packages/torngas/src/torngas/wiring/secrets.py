"""`cookie_secret`, and what is derived from it."""

from __future__ import annotations

import hmac
import logging
import secrets
from typing import Any

from torngas.exception import ConfigError
from torngas.settings_manager import Settings

__all__ = ["cookie_secret", "derived_key"]

logger = logging.getLogger("torngas")


def cookie_secret(settings: Settings) -> Any:
    """Answers TORNADO_CONF's `cookie_secret` (a string, or Tornado's dictionary of key versions).

    With DEBUG a missing one is made for the process, with a warning.

    Raises:
        ConfigError: there is none, and DEBUG is off.
    """
    if given := settings.TORNADO_CONF.get("cookie_secret"):
        return given
    if not settings.DEBUG:
        raise ConfigError(
            "TORNADO_CONF['cookie_secret']: got none; expected a long random string, kept out of the repository, e.g. "
            "the output of: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    logger.warning(
        "TORNADO_CONF['cookie_secret'] is missing; one was made for this process, so that logins end when it does"
    )
    return secrets.token_urlsafe(32)


def derived_key(secret: Any, purpose: str) -> str:
    """Answers a key for another purpose, from which the secret cannot be told (HMAC-SHA-256).

    Raises:
        ConfigError: the secret is a dictionary of key versions, of which none is the one to derive from.
    """
    if not isinstance(secret, str | bytes):
        raise ConfigError(
            f"{purpose}: got no key, and TORNADO_CONF['cookie_secret'] is a dictionary of versions; expected a key of "
            "its own, e.g. SESSION['secret_key'] = '…'"
        )
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, purpose.encode(), "sha256").hexdigest()
