"""Right and wrong uses, for the type checker alone."""

from typing import Any, assert_type

from tornado.web import RequestHandler

from torngas_session import (
    FlashMessageMixIn,
    MemoryStore,
    Session,
    SessionConfig,
    SessionManager,
    SessionMixin,
    SessionStore,
    login,
)


class DictStore:
    def get(self, key: str, default: Any = None) -> Any:
        return default

    def set(self, key: str, value: Any, timeout: float | None) -> None: ...

    def delete(self, key: str) -> bool:
        return True


class NoStore:
    def get(self, key: str, default: Any = None) -> Any:
        return default


fits: SessionStore = DictStore()
shipped: SessionStore = MemoryStore()
wrong: SessionStore = NoStore()  # type: ignore[assignment]

SessionConfig(secret_key="k", conflict="merge")
SessionConfig(secret_key="k", conflict="win")  # type: ignore[arg-type]
SessionConfig("k")  # type: ignore[call-arg]
manager = SessionManager(MemoryStore(), {"secret_key": "k"})
assert_type(manager.sessions_of("ada"), list[str])


class Page(FlashMessageMixIn, SessionMixin, RequestHandler):
    def get(self) -> None:
        assert_type(self.session, Session)
        self.session["a"] = 1
        self.session[1] = 1  # type: ignore[index]
        login(self, 7)
        login(self, None)  # type: ignore[arg-type]
        assert_type(self.get_flashed_messages(), list[tuple[str, Any]])
        assert_type(self.get_flashed_messages(False), list[Any])
