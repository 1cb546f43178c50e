"""OpenTelemetry spans of requests, cache calls, queries and templates, by its API alone.

    MIDDLEWARE_CLASSES = ("torngas.observe.tracing.TracingMiddleware", …)

Which spans are kept, and where they go, the application says by setting up OpenTelemetry's SDK. A caller's
`traceparent` (W3C Trace Context) is continued. Names and attributes follow the stable semantic conventions for HTTP and
databases. Statements are shown without values; no header, query string or cookie is shown at all.

    handler.addFilter(TraceFilter())          # then records have trace_id and span_id
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError, RequestHandler

from torngas.observe._config import configured, required
from torngas.observe.watch import Work

__all__ = ["TraceFilter", "TracingConfig", "TracingMiddleware", "current_ids"]

KNOWN_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
_SYSTEMS = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mariadb", "sqlite": "sqlite"}
_SPAN = "_torngas_span"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingConfig:
    """TRACING_CONFIG.

    Attributes:
        enabled: False leaves the middleware out of the application: nothing of it is in the path then.
        caches, queries, templates: Whether they get spans of their own.
        provider: A `TracerProvider` or its dotted path; None: the global one.
    """

    enabled: bool = True
    caches: bool = True
    queries: bool = True
    templates: bool = True
    provider: Any = None


class TracingMiddleware:
    """A span of kind SERVER for each request, current for the handler and all that it calls or starts.

    It begins when the handler is chosen, with the time at which the request arrived, and ends when the response was
    sent, the client left or the connection of a WebSocket was closed. Declare it outermost, after the access log and
    RequestIdMiddleware.

    Args:
        config: TRACING_CONFIG, or what it is made of.

    Raises:
        ConfigError: OpenTelemetry's API is not installed, or an option is wrong.
    """

    observes = True

    def __init__(self, config: TracingConfig | Mapping[str, Any] | None = None) -> None:
        from torngas.wiring.dotted import named

        self._config = configured(TracingConfig, "TRACING_CONFIG", config)
        self._trace = required("opentelemetry.trace", "tracing", "TracingMiddleware")
        self._context = required("opentelemetry.context", "tracing", "TracingMiddleware")
        self._propagate = required("opentelemetry.propagate", "tracing", "TracingMiddleware")
        provider = self._config.provider
        if provider is not None:
            provider = named("TRACING_CONFIG['provider']", provider, "a TracerProvider or its dotted path")
        self._tracer = self._trace.get_tracer("torngas", None, provider)
        wanted = {"cache": self._config.caches, "query": self._config.queries, "template": self._config.templates}
        self.kinds = frozenset(kind for kind, is_wanted in wanted.items() if is_wanted)

    def process_request(self, handler: RequestHandler, clear: Any) -> None:
        """Begins the span, as a part of the caller's trace."""
        span, parent = self._start(handler.request)
        # Never detached: the request's context is its own, and over with it.
        self._context.attach(self._trace.set_span_in_context(span, parent))
        task = asyncio.current_task()
        if task is not None:  # whoever calls clear() ends all later hooks, ours too
            task.add_done_callback(lambda _: self._end(handler) if getattr(clear, "cleared", False) else None)

    def _start(self, request: Any) -> tuple[Any, Any]:
        """The span, and the context of the caller."""
        parent = self._propagate.extract(request.headers, getter=_GETTER)
        span = self._tracer.start_span(
            _name(request),
            parent,
            self._trace.SpanKind.SERVER,
            _request_attributes(request),
            start_time=time.time_ns() - int(request.request_time() * 1e9),
        )
        setattr(request, _SPAN, span)
        return span, parent

    def process_exception(
        self,
        handler: RequestHandler,
        clear: Any,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Notes what was raised; an HTTPError below 500 is an answer, no failure."""
        span = getattr(handler.request, _SPAN, None)
        if span is None or value is None:
            return
        if not (isinstance(value, HTTPError) and value.status_code < 500):
            span.record_exception(value)
            span.set_attribute("error.type", _type_name(value))
            handler.request._torngas_failed = True  # type: ignore[attr-defined]

    def process_endcall(self, handler: RequestHandler, clear: Any) -> None:
        """Ends the span; one that was refused before any handler began it (an unknown method) has it made now."""
        if not hasattr(handler.request, _SPAN):
            self._start(handler.request)
        self._end(handler)

    def _end(self, handler: RequestHandler) -> None:
        request: Any = handler.request
        span = getattr(request, _SPAN, None)
        if span is None:
            return
        setattr(request, _SPAN, None)
        status = handler.get_status()
        if getattr(request, "unanswered", False) and status != 101:
            span.set_attribute("error.type", "client_disconnected")
        else:
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                if not getattr(request, "_torngas_failed", False):
                    span.set_attribute("error.type", str(status))
                span.set_status(self._trace.StatusCode.ERROR)
        span.end()

    def began(self, work: Work) -> None:
        """Begins the span of a cache call, a query or a template."""
        if self._trace.get_current_span().get_span_context().is_valid:
            kind = self._trace.SpanKind.INTERNAL if work.kind == "template" else self._trace.SpanKind.CLIENT
            span = self._tracer.start_span(_work_name(work), kind=kind, attributes=_work_attributes(work))
            work.note = {self: span} if work.note is None else {**work.note, self: span}

    def ended(self, work: Work) -> None:
        """Ends it."""
        span = None if work.note is None else work.note.get(self)
        if span is None:
            return
        if work.hits or work.misses:
            span.set_attribute("cache.hit", not work.misses)
        if work.error is not None:
            span.set_attribute("error.type", _type_name(work.error))
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()


class TraceFilter(logging.Filter):
    """Gives each record `trace_id` and `span_id`, of 32 and 16 hexadecimal digits; it lets every record pass.

    Args:
        default: What they are outside of a span; None leaves them out, as JSON lines may like it.
    """

    def __init__(self, default: str | None = "-") -> None:
        super().__init__()
        self._default = default

    def filter(self, record: logging.LogRecord) -> bool:
        """Sets the attributes, unless the record has them."""
        if not hasattr(record, "trace_id"):
            found = current_ids()
            if found is not None:
                record.trace_id, record.span_id = found
            elif self._default is not None:
                record.trace_id = record.span_id = self._default
        return True


def current_ids() -> tuple[str, str] | None:
    """The ids of the current trace and span; None outside of a span, and where OpenTelemetry is not in use."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else None


class _HeaderGetter:
    """Reads Tornado's headers for the propagators."""

    def get(self, carrier: HTTPHeaders, key: str) -> list[str] | None:
        return carrier.get_list(key) or None

    def keys(self, carrier: HTTPHeaders) -> list[str]:
        return [name.lower() for name in carrier]


_GETTER: Any = _HeaderGetter()


def _method(request: Any) -> str:
    return request.method if request.method in KNOWN_METHODS else "_OTHER"


def _route(request: Any) -> str | None:
    return getattr(getattr(request, "route", None), "pattern", None)


def _name(request: Any) -> str:
    method, route = _method(request), _route(request)
    method = "HTTP" if method == "_OTHER" else method
    return method if route is None else f"{method} {route}"


def _request_attributes(request: Any) -> dict[str, Any]:
    method = _method(request)
    host, port = _address(request)
    found = {
        "http.request.method": method,
        "http.request.method_original": request.method if method == "_OTHER" else None,
        "http.route": _route(request),
        "url.path": request.path,
        "url.scheme": request.protocol,
        "server.address": host,
        "server.port": port,
        "client.address": request.remote_ip,
        "network.protocol.version": request.version.removeprefix("HTTP/"),
        "user_agent.original": request.headers.get("User-Agent"),
        "torngas.request_id": getattr(request, "request_id", None),
    }
    return {name: value for name, value in found.items() if value is not None}


def _address(request: Any) -> tuple[str, int]:
    """From the Host header, where there is no port the scheme's."""
    _, colon, port = request.host.rpartition(":")
    known = colon and port.isascii() and port.isdigit()
    return request.host_name, int(port) if known else 443 if request.protocol == "https" else 80


def _work_name(work: Work) -> str:
    return f"cache.{work.operation} {work.target}" if work.kind == "cache" else f"{work.operation} {work.target}"


def _work_attributes(work: Work) -> dict[str, Any]:
    if work.kind == "query":
        return {
            "db.system.name": _SYSTEMS.get(work.system, work.system),
            "db.operation.name": work.operation,
            "db.query.text": work.text,
            "torngas.database": work.target,
        }
    if work.kind == "cache":
        return {"cache.operation": work.operation, "cache.alias": work.target}
    return {"template.name": work.target}


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
