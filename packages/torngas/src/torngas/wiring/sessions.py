"""SESSION -> the middleware that gives every request its session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torngas.settings_manager import Settings
from torngas.wiring.secrets import derived_key
from torngas_session import SessionConfig

if TYPE_CHECKING:
    from torngas.wiring.resources import Resources

__all__ = ["build_session_middleware"]


def build_session_middleware(kind: Any, settings: Settings, resources: Resources) -> Any:
    """Makes the middleware, over the cache that `session_cache_alias` names.

    Without a `secret_key` of its own the session's is derived from `cookie_secret`.

    Raises:
        SessionError: an option is unknown or wrong.
        InvalidCacheBackendError: the alias is not in CACHES.
        ConfigError: there is no secret, and DEBUG is off.
    """
    options = dict(settings.SESSION)
    alias = options.pop("session_cache_alias")
    store: Any = resources.caches[alias]
    if resources.watch is not None and resources.watch.wants("session"):
        from torngas.observe.stores import ObservedStore

        store = ObservedStore(store, alias, resources.watch)
    options["secret_key"] = options.get("secret_key") or derived_key(resources.cookie_secret, "SESSION['secret_key']")
    return kind(store, SessionConfig.from_mapping(options))
