"""The session in its cookie: nothing is kept on the server.

SessionManager(SignedCookieStore(), {"secret_key": "…", "expires": 3600})
"""

from __future__ import annotations

from ..errors import ConfigurationError

__all__ = ["SignedCookieStore"]


class SignedCookieStore:
    """Says that the session travels in the cookie, signed with the configured keys and with its time of issue.

    The client can read it, though not change it. Logging out deletes the cookie, but a copy stays valid until its
    timeouts end it: give `expires` or `absolute_timeout`. There is nothing to list or to revoke, and of two
    concurrent responses the later cookie wins whole.

    Args:
        max_bytes: Longest name and value together; browsers keep 4096 (RFC 6265bis §5.6). A longer session raises.
    """

    blocking = False

    def __init__(self, *, max_bytes: int = 4096) -> None:
        if not 256 <= max_bytes <= 4096:
            raise ConfigurationError(f"SignedCookieStore: got max_bytes={max_bytes}; expected 256 to 4096")
        self.max_bytes = max_bytes
