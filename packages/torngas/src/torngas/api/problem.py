"""Errors as RFC 9457 problem details: `application/problem+json`.

    raise Problem(409, "The note was changed meanwhile.", type="/problems/conflict", version=4)

A `Problem` is a `tornado.web.HTTPError`; typed methods answer it, and every other HTTPError, in this form.
`ProblemErrors` before a handler's other bases does so for all its errors: 404, 405, XSRF, those of `prepare`.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterable, Mapping
from types import MethodType
from typing import TYPE_CHECKING, Any

from tornado.web import Finish, HTTPError, MissingArgumentError, RequestHandler

from torngas.mixins.exception import UncaughtExceptionMixin

if TYPE_CHECKING:
    _Base = RequestHandler
else:
    _Base = object

__all__ = ["CONTENT_TYPE", "Problem", "ProblemErrors", "answer_problems", "answers_problems", "write_problem"]

CONTENT_TYPE = "application/problem+json"
_STANDARD = frozenset({"type", "title", "status", "detail", "instance", "request_id"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
# Harmless also where somebody puts the answer into a page.
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class Problem(HTTPError):
    """An error with problem details.

    Args:
        status: The HTTP status, 400 to 599.
        detail: A sentence on this occurrence, for people; it is sent, so no secret belongs into it.
        type: A URI that identifies the kind of problem; "about:blank" says no more than the status does.
        title: The kind of problem in words; None is the status' phrase.
        instance: A URI of this occurrence; None leaves it out.
        errors: One mapping per wrong part of the request: `in`, `name`, perhaps `pointer` (RFC 6901), `detail`.
        headers: More headers of the answer, such as `Retry-After`.
        **extensions: Further members.

    Raises:
        ValueError: the status is no error's, or an extension has the name of a standard member.
    """

    def __init__(
        self,
        status: int = 400,
        detail: str | None = None,
        *,
        type: str = "about:blank",  # noqa: A002 - the member's name
        title: str | None = None,
        instance: str | None = None,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"Problem: got status {status!r}; expected one from 400 to 599")
        if taken := sorted(_STANDARD & extensions.keys()):
            raise ValueError(f"Problem: got the extension members {taken}; expected other names")
        super().__init__(status, _CONTROL.sub(" ", detail) if detail else None)
        self.detail = detail
        self.type = type
        self.title = title or http.client.responses.get(status, "Unknown")
        self.instance = instance
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})
        self.extensions = extensions

    @classmethod
    def of(cls, error: BaseException | None, status: int) -> Problem:
        """The problem that says of an error what may be said: of an HTTPError not its log message."""
        if isinstance(error, Problem):
            return error
        if not isinstance(error, HTTPError):
            return cls(status)
        detail = f"The argument {error.arg_name!r} is missing." if isinstance(error, MissingArgumentError) else None
        return cls(status, detail, title=error.reason, headers=getattr(error, "headers", None))

    def members(self) -> dict[str, Any]:
        """The JSON object, as a dictionary."""
        found: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status_code}
        if self.detail is not None:
            found["detail"] = self.detail
        if self.instance is not None:
            found["instance"] = self.instance
        if self.errors:
            found["errors"] = self.errors
        return {**found, **self.extensions}


class ProblemErrors(_Base):
    """Answers every error of the handler as problem details; stands before the other bases.

    class Notes(ProblemErrors, ApiHandler): ...

    An error that is no HTTPError keeps the page of DEBUG for whoever accepts HTML.
    """

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers problem details; a status below 400 is left to the other bases."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        if status_code < 400 or not (isinstance(error, HTTPError | None) or _prefers_json(self)):
            super().write_error(status_code, **kwargs)
        else:
            write_problem(self, Problem.of(error, status_code))


def write_problem(handler: RequestHandler, problem: Problem) -> None:
    """Finishes the response with the problem; its request's id is a member, `request_id`."""
    members = problem.members()
    request_id = getattr(handler.request, "request_id", None)
    if request_id:
        members.setdefault("request_id", request_id)
    for name, value in problem.headers.items():
        handler.set_header(name, value)
    if problem.status_code == 405 and "Allow" not in problem.headers:
        handler.set_header("Allow", ", ".join(_implemented(handler)))
    handler.set_status(problem.status_code)
    handler.set_header("Content-Type", CONTENT_TYPE)
    handler.set_header("Cache-Control", "no-store")
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.finish(json.dumps(members, default=str).translate(_ESCAPES))


def answers_problems(handler: RequestHandler) -> bool:
    """Whether one of the handler's methods is typed."""
    return any(hasattr(getattr(handler, name.lower(), None), "__endpoint__") for name in handler.SUPPORTED_METHODS)


def answer_problems(handler: RequestHandler) -> None:
    """Makes this instance answer its error as problem details, unless its class has an answer of its own."""
    if type(handler).write_error in (RequestHandler.write_error, UncaughtExceptionMixin.write_error):
        handler.__dict__["write_error"] = MethodType(_write_error, handler)


def _write_error(handler: RequestHandler, status_code: int, **kwargs: Any) -> None:
    error = (kwargs.get("exc_info") or (None, None))[1]
    if status_code < 400 or not (isinstance(error, HTTPError | Finish | None) or _prefers_json(handler)):
        type(handler).write_error(handler, status_code, **kwargs)
    else:
        write_problem(handler, Problem.of(error, status_code))


def _prefers_json(handler: RequestHandler) -> bool:
    return "text/html" not in handler.request.headers.get("Accept", "")


def _implemented(handler: RequestHandler) -> list[str]:
    unimplemented = RequestHandler.get
    methods = [name for name in handler.SUPPORTED_METHODS if name != "CONNECT"]
    return [name for name in methods if getattr(type(handler), name.lower(), unimplemented) is not unimplemented]
