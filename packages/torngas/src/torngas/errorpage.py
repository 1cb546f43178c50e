"""The page that shows an error to its developer: frames, request, session, settings; read-only, secrets masked.

It needs nothing from the network and evaluates nothing. `may_be_shown` says for whom it is: only with DEBUG, and only
where the request's host is one of `DEBUG_HOSTS`, so that no page of another host can read it (DNS rebinding).
"""

from __future__ import annotations

import linecache
import re
import site
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tornado.template import Template
from tornado.web import RequestHandler

from torngas.settings_manager import Settings

__all__ = ["error_page", "masked", "may_be_shown"]

MASK = "********"
_SECRET = re.compile(
    r"secret|passw|token|api_?key|authorization|cookie|credential|private|signature|^key$|dsn", re.IGNORECASE
)
_LIBRARIES = (*site.getsitepackages(), sysconfig.get_paths()["stdlib"], str(Path(__file__).parent))
_LONGEST = 300
_AROUND = 5
_PAGE = Template((Path(__file__).parent / "assets" / "error.html").read_text(), "error.html")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


@dataclass(frozen=True, slots=True)
class Frame:
    """One call on the way to the error."""

    function: str
    filename: str
    line: int
    source: tuple[tuple[int, str], ...]
    variables: tuple[tuple[str, str], ...]
    own: bool


def may_be_shown(handler: RequestHandler, settings: Settings) -> bool:
    """Whether this request may see the page: DEBUG is on, and its host is one of DEBUG_HOSTS."""
    return bool(settings.DEBUG) and handler.request.host_name.strip("[]") in settings.DEBUG_HOSTS


def error_page(handler: RequestHandler, exc_info: ExcInfo, settings: Settings) -> str:
    """Renders the page. What could be a secret, by its name or by its value in the settings, is masked."""
    error = exc_info[1]
    text = "".join(traceback.format_exception(error))
    page = _PAGE.generate(
        title=f"{type(error).__name__}: {_short(str(error))}",
        request=handler.request,
        handler=type(handler).__qualname__,
        notes=getattr(error, "__notes__", ()),
        frames=list(_frames(error)),
        tables=[
            ("Request", _table(_request(handler))),
            ("Headers", _table(dict(handler.request.headers.get_all()))),
            ("Arguments", _table({name: handler.get_arguments(name) for name in handler.request.arguments})),
            ("Session", _table(_session(handler))),
            ("Settings", _table(settings)),
        ],
        text=text,
    ).decode()
    for secret in sorted(_secrets(settings), key=len, reverse=True):
        page = page.replace(secret, MASK)
    return page


def masked(name: str, value: Any) -> Any:
    """The value, or stars if its name says that it is secret; in dictionaries and lists too."""
    if _SECRET.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {key: masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked(name, item) for item in value) if type(value) in (list, tuple) else value
    return value


def _secrets(values: Mapping[str, Any]) -> Iterator[str]:
    """The settings' secret values themselves: they may stand in a message or in a variable of another name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _secrets(value)
        elif isinstance(value, list | tuple):
            yield from (secret for item in value if isinstance(item, Mapping) for secret in _secrets(item))
        elif isinstance(value, str) and len(value) >= 4 and _SECRET.search(str(name)):
            yield value


def _frames(error: BaseException) -> Iterator[Frame]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        first = max(1, line - _AROUND)
        lines = range(first, line + _AROUND + 1)
        source = [(number, linecache.getline(code.co_filename, number, frame.f_globals)) for number in lines]
        yield Frame(
            code.co_qualname,
            code.co_filename,
            line,
            tuple((number, text.rstrip()) for number, text in source if text),
            tuple(_table(frame.f_locals)),
            not _is_library(code.co_filename),
        )


def _is_library(filename: str) -> bool:
    return filename.startswith(_LIBRARIES) or any(part.startswith("torngas_") for part in Path(filename).parts)


def _table(values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return [(str(name), _short(_represented(masked(str(name), value)))) for name, value in values.items()]


def _represented(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - whatever a repr raises must not hide the error that is shown
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _request(handler: RequestHandler) -> dict[str, Any]:
    request = handler.request
    route = getattr(request, "route", None)
    return {
        "method": request.method,
        "uri": request.uri,
        "route": getattr(route, "pattern", None),
        "handler": handler.__class__.__qualname__,
        "remote_ip": request.remote_ip,
        "request_id": getattr(request, "request_id", None),
    }


def _session(handler: RequestHandler) -> Mapping[str, Any]:
    """What was read of the session already; the page itself reads none."""
    session = handler.__dict__.get("_session")
    return dict(session) if session is not None and session.accessed else {}
