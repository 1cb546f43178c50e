"""The Idempotency-Key header: a request that is sent twice runs once (draft-ietf-httpapi-idempotency-key-header).

    class Payments(IdempotencyMixin, ApiHandler):
        idempotency_required = True

        async def post(self):
            await charge(self.request.body)
            self.write({"charged": True}, status=201)

The first request with a key runs; its repetition gets the stored response. While the first one runs, others get 409; a
key that comes with another request gets 422. Keys belong to the user that `current_user` names, so authentication
stands before this mixin: `class Payments(AuthMixin, IdempotencyMixin, ApiHandler)`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
import secrets
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar

from tornado.web import RequestHandler

from torngas.api._denials import answer_denial
from torngas.exception import ArgumentError
from torngas_cache import caches

if TYPE_CHECKING:
    _Base = RequestHandler
else:
    _Base = object

__all__ = ["IdempotencyMixin"]

logger = logging.getLogger("torngas.api")

_HEADER = "Idempotency-Key"
# A string of RFC 9651 §3.3.3, as the draft has it, or its content alone, as most clients send it.
_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"|([!#-\[\]-~]{1,255})', re.ASCII)
_ATTEMPTS = 3
# What says nothing of the request itself: once the sender is admitted, or the storm is over, it shall run.
_PASSING = frozenset({401, 403, 408, 425, 429})
# Belongs to the message and not to the result.
_NOT_KEPT = frozenset({"Connection", "Content-Length", "Date", "Server", "Set-Cookie", "Transfer-Encoding"})


class IdempotencyMixin(_Base):
    """Stands before the handler class in the bases, and after `AuthMixin`.

    Attributes:
        idempotency_methods: The methods that look at the header.
        idempotency_required: Whether these methods refuse a request without a key, with 400.
        idempotency_cache: The alias of the cache, or a cache. It must be shared by all processes, and must not drop
            entries before their time: give it one of its own.
        idempotency_timeout: Seconds that a response is kept, a day by default; None for ever.
        idempotency_lock: Seconds after which a request that did not end (its process died) may run again; more than
            the method ever takes.

    The response is stored before it is sent: what `write`, `render`, `finish` and errors made, with status and
    headers, without cookies. Not kept are failures (500 and above), 401, 403, 408, 425 and 429, and what `flush()` sent
    in parts; the next request runs. A handler with a `prepare` of its own calls `super()`'s, and awaits it.
    """

    idempotency_methods: ClassVar[tuple[str, ...]] = ("POST", "PATCH")
    idempotency_required: ClassVar[bool] = False
    idempotency_cache: ClassVar[Any] = "default"
    idempotency_timeout: ClassVar[float | None] = 86_400
    idempotency_lock: ClassVar[float] = 60

    def get_idempotency_user(self) -> Any:
        """Whose keys these are: the id of `current_user`, of which the text of its `repr` counts; None for nobody.

        Raises:
            ArgumentError: `current_user` is no id, and has none; override this then.
        """
        user = self.current_user
        user = user.get("id") if isinstance(user, dict) else getattr(user, "id", user)
        if user is None or isinstance(user, str | int):
            return user
        raise ArgumentError(
            f"IdempotencyMixin: got a current_user of type {type(self.current_user).__name__}; expected an id, or "
            "something with one; override get_idempotency_user"
        )

    def prepare(self) -> Awaitable[None] | None:
        """Replays, refuses, or goes on with `prepare` of the next class."""
        if self.request.method not in self.idempotency_methods or not self._is_implemented():
            return super().prepare()
        header = self.request.headers.get(_HEADER)
        if header is None and not self.idempotency_required:
            return super().prepare()
        return self._prepare_once(header)

    def _is_implemented(self) -> bool:
        """Where it is not, 405 is the answer, whatever the key."""
        method = (self.request.method or "").lower()
        return getattr(type(self), method, None) is not getattr(RequestHandler, method, None)

    async def _prepare_once(self, header: str | None) -> None:
        key = _parsed(header)
        if key is None:
            wanted = "a key of 1 to 255 visible characters, e.g. a UUID, the same one when the request is repeated"
            problem = {"in": "header", "name": _HEADER, "detail": f"expected {wanted}"}
            answer_denial(self, 400, f"{_HEADER}: expected {wanted}", errors=[problem])
            return
        run = _Run(self, key)
        entry = await run.claim()
        if entry is not None:
            run.answer(entry)
            return
        # An attribute of this one object: `finish` of the class comes after the middlewares have had the response, and
        # they must see a replayed one as well.
        self.__dict__["finish"] = run.finish
        following = super().prepare()
        if isawaitable(following):
            await following


def _parsed(header: str | None) -> str | None:
    found = _KEY.fullmatch(header.strip()) if header is not None else None
    if found is None:
        return None
    return found[2] if found[1] is None else re.sub(r"\\(.)", r"\1", found[1])


class _Run:
    """One request that has a key."""

    def __init__(self, handler: Any, key: str) -> None:
        self._handler = handler
        chosen = handler.idempotency_cache
        self._cache = caches[chosen] if isinstance(chosen, str) else chosen
        self._key = "torngas.idempotency:" + _digest(repr(handler.get_idempotency_user()), key)
        self._entry = {"print": _fingerprint(handler.request), "owner": secrets.token_hex(8), "response": None}
        self._before = set(handler._headers.get_all())

    async def claim(self) -> dict[str, Any] | None:
        """None if the request is to run now, else the entry of the one that came first."""
        for _ in range(_ATTEMPTS):
            if await self._cache.aadd(self._key, self._entry, self._handler.idempotency_lock):
                return None
            entry = await self._cache.aget(self._key)
            if isinstance(entry, dict):
                return entry
        return {}  # neither free nor taken: the store is out of order

    def answer(self, entry: dict[str, Any]) -> None:
        """Answers in the place of the method."""
        handler = self._handler
        again = [("Retry-After", "1")]
        if not entry:
            answer_denial(handler, 503, "the record of earlier requests cannot be read now", headers=again)
        elif entry["print"] != self._entry["print"]:
            answer_denial(handler, 422, f"this {_HEADER} was used with another request")
        elif entry["response"] is None:
            answer_denial(handler, 409, f"a request with this {_HEADER} is still running", headers=again)
        else:
            self._replay(entry["response"])

    def _replay(self, response: dict[str, Any]) -> None:
        handler = self._handler
        handler.set_status(response["status"], response["reason"])
        handler.clear_header("Content-Type")
        for name in {name for name, _ in response["headers"]}:
            handler.clear_header(name)
        for name, value in response["headers"]:
            handler.add_header(name, value)
        handler.set_header("Idempotency-Replayed", "true")
        body = base64.b64decode(response["body"])
        handler.finish(body or None)

    def finish(self, chunk: Any = None) -> Any:
        """Stands for the handler's `finish`: the response counts as finished, and is sent when it is stored."""
        handler = self._handler
        del handler.__dict__["finish"]
        if handler._finished or handler._headers_written:
            self._spawn(self._released)
            return handler.finish(chunk)
        if chunk is not None:
            handler.write(chunk)
        response = self._response()
        handler._finished = True
        return self._spawn(partial(self._send_stored, response))

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work())
        # The loop holds tasks weakly; the handler lives as long as its request.
        self._handler.__dict__["_idempotency_task"] = task
        return task

    async def _send_stored(self, response: dict[str, Any] | None) -> None:
        if response is None:
            await self._released()
        else:
            await self._stored(response)
        handler = self._handler
        handler._finished = False
        try:
            handler.finish()
        except Exception:  # noqa: BLE001 - reported as Tornado does it for every exception of a handler
            handler.log_exception(*sys.exc_info())
            handler.send_error(500, exc_info=sys.exc_info())

    def _response(self) -> dict[str, Any] | None:
        """What is to be kept; None for a failure."""
        handler = self._handler
        status = handler.get_status()
        if status >= 500 or status in _PASSING:
            return None
        return {
            "status": status,
            "reason": handler._reason,
            "headers": [[*header] for header in handler._headers.get_all() if self._is_kept(header)],
            "body": base64.b64encode(b"".join(handler._write_buffer)).decode(),
        }

    def _is_kept(self, header: tuple[str, str]) -> bool:
        """Not what middlewares had set before, such as the request's id: they do so for a replay too."""
        return header[0] == "Content-Type" or not (header[0] in _NOT_KEPT or header in self._before)

    async def _stored(self, response: dict[str, Any]) -> None:
        await self._replaced({**self._entry, "response": response}, self._handler.idempotency_timeout)

    async def _released(self) -> None:
        await self._replaced(None, 0)  # expired at once: compare and remove

    async def _replaced(self, value: Any, timeout: float | None) -> None:
        """Only while the entry is this run's: a lock that expired may be somebody else's by now."""
        try:
            entry, token = await self._cache.agets(self._key)
            if isinstance(entry, dict) and entry.get("owner") == self._entry["owner"]:
                await self._cache.acas(self._key, value, token, timeout)
        except Exception:
            # The method has run: its client shall know of it, and the lock ends by itself.
            logger.exception("the response of a request with %s could not be stored", _HEADER)


def _fingerprint(request: Any) -> str:
    kind = request.headers.get("Content-Type", "")
    return _digest(request.method or "", request.uri or "", kind, request.body)


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        octets = part.encode() if isinstance(part, str) else part
        digest.update(len(octets).to_bytes(8) + octets)
    return digest.hexdigest()
