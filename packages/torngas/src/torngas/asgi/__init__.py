"""ASGI: the application behind uvicorn, hypercorn, granian and any other ASGI 3 server on asyncio.

    application.asgi                                    of an Application of this framework
    ASGIAdapter(tornado.web.Application([...]))         of a plain one of Tornado
    get_asgi_application("settings.settings")           of a project

Handlers stay as they are: streaming both ways with backpressure, WebSockets, disconnects, background work. What needs
the raw socket (`detach`, `request.connection.stream`, pings) raises `UnsupportedError` and tells the remedy.
"""

from torngas.asgi.adapter import ASGIAdapter
from torngas.asgi.errors import ASGIError, UnsupportedError
from torngas.asgi.project import get_asgi_application

__all__ = ["ASGIAdapter", "ASGIError", "UnsupportedError", "get_asgi_application"]
