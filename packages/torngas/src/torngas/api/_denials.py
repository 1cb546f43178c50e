"""A denied request, answered at once as problem details on handlers of any kind, with several headers of one name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from tornado.web import Finish, RequestHandler

from torngas.api.problem import Problem, write_problem

__all__ = ["answer_denial", "deny"]


def deny(
    handler: RequestHandler,
    status: int,
    detail: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    errors: Iterable[Mapping[str, Any]] = (),
) -> NoReturn:
    """Answers, and ends the method; the arguments are those of `answer_denial`.

    Raises:
        Finish: always.
    """
    answer_denial(handler, status, detail, headers=headers, errors=errors)
    raise Finish


def answer_denial(
    handler: RequestHandler,
    status: int,
    detail: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    errors: Iterable[Mapping[str, Any]] = (),
    **extensions: Any,
) -> None:
    """Answers with problem details, or with the handler's error page to who asks for HTML.

    Args:
        handler: Whose response it is; what was written so far is dropped, as for every error.
        status: From 400 on.
        detail: For the client's programmer; it is sent, so no secret.
        headers: Names and values; a name may stand several times.
        errors: As of `Problem`.
        **extensions: As of `Problem`.
    """
    problem = Problem(status, detail, errors=errors, **extensions)
    handler.clear()
    handler.set_status(status)
    handler.set_header("Cache-Control", "no-store")
    for name, value in headers:
        handler.add_header(name, value)
    if _wants_html(handler.request.headers.get("Accept", "")):
        handler.write_error(status, exc_info=(Problem, problem, None))
        if not handler._finished:
            handler.finish()
    else:
        write_problem(handler, problem)


def _wants_html(accept: str) -> bool:
    return "text/html" in accept and "json" not in accept
