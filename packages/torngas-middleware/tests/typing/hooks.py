"""Right and wrong middlewares, for the type checker: each ignore proves that the line is rejected."""

from __future__ import annotations

from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from torngas_middleware import (
    CORS,
    AccessLogMiddleware,
    Application,
    BucketStore,
    CompressionMiddleware,
    CORSMiddleware,
    Manager,
    MemoryBuckets,
    MiddlewareHandlerMixin,
    RateLimitMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
    TimeoutMiddleware,
    TrustedHostMiddleware,
)
from torngas_middleware.protocols import (
    Clear,
    ProcessCall,
    ProcessEndcall,
    ProcessException,
    ProcessInit,
    ProcessRender,
    ProcessRequest,
    ProcessResponse,
)


class Right:
    def process_init(self, application: tornado.web.Application) -> None: ...

    def process_call(self, request: HTTPServerRequest, clear: Clear) -> bool:
        clear()
        return True

    async def process_request(self, handler: RequestHandler, clear: Clear) -> None: ...

    def process_render(self, handler: RequestHandler, clear: Clear, template_name: str, **kwargs: Any) -> None: ...

    def process_exception(self, handler: RequestHandler, clear: Clear, *error: object) -> bool:
        return True

    async def process_response(self, handler: RequestHandler, clear: Clear, chunk: list[bytes]) -> int:
        chunk[0] = b"edited"
        return 1

    def process_endcall(self, handler: RequestHandler, clear: Clear) -> None: ...


right = Right()
init: ProcessInit = right
call: ProcessCall = right
request: ProcessRequest = right
render: ProcessRender = right
exception: ProcessException = right
response: ProcessResponse = right
endcall: ProcessEndcall = right


class AsyncInit:
    async def process_init(self, application: tornado.web.Application) -> None: ...


class MissingClear:
    def process_call(self, request: HTTPServerRequest) -> None: ...


class TextChunks:
    def process_response(self, handler: RequestHandler, clear: Clear, chunk: list[str]) -> None: ...


class NoKeywords:
    def process_render(self, handler: RequestHandler, clear: Clear, template_name: str) -> None: ...


async_init: ProcessInit = AsyncInit()  # type: ignore[assignment]
missing_clear: ProcessCall = MissingClear()  # type: ignore[assignment]
text_chunks: ProcessResponse = TextChunks()  # type: ignore[assignment]
no_keywords: ProcessRender = NoKeywords()  # type: ignore[assignment]
no_hook: ProcessEndcall = object()  # type: ignore[assignment]

log_hook: ProcessEndcall = AccessLogMiddleware()
id_hooks: ProcessCall = RequestIdMiddleware()
security: ProcessResponse = SecurityHeadersMiddleware()
cors: ProcessRequest = CORSMiddleware(CORS(origins=["https://app.example"]))
compression: ProcessInit = CompressionMiddleware()
limit: ProcessRequest = RateLimitMiddleware(rate=1, burst=1)
host: ProcessCall = TrustedHostMiddleware(["a.example"])
timeout: ProcessRequest = TimeoutMiddleware(1.5)
store: BucketStore = MemoryBuckets()

RateLimitMiddleware(rate="fast", burst=1)  # type: ignore[arg-type]
RateLimitMiddleware(1, 1)  # type: ignore[call-arg]
TimeoutMiddleware("1s")  # type: ignore[arg-type]
AccessLogMiddleware(True)  # type: ignore[call-arg]
Manager([Right, right, "app.Right"]).chains.call = ()  # type: ignore[misc]

Application([], middlewares=[AccessLogMiddleware(), RequestIdMiddleware, CORSMiddleware(), right, Right, "app.Right"])
Application([], middlewares=[right, object()])  # type: ignore[list-item]
Application([], middlewares=[MissingClear()])  # type: ignore[list-item]
Application([], middlewares=[AsyncInit])  # type: ignore[list-item]
Manager().register(42)  # type: ignore[arg-type]

Application([("/", RequestHandler)], middlewares=[Right], wrap_all=False, debug=True)
Application([], None, None, [Right])  # type: ignore[call-arg]


class Handler(MiddlewareHandlerMixin, RequestHandler):
    async def on_prepare(self) -> None: ...

    def complete_finish(self) -> None: ...


class WrongHandler(MiddlewareHandlerMixin, RequestHandler):
    async def complete_finish(self) -> None: ...  # type: ignore[override]
