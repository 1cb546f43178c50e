"""Parts of Tornado done again in fewer steps: the one place that touches undocumented names of Tornado.

`TOUCHED` lists what is repeated here, or relied on, with the reason. A test compares the source of each with the one
that was read when this was written. In a Tornado whose minor version was not (`CHECKED` is False) nothing of this is
used, and requests take Tornado's own way.
"""

from __future__ import annotations

import tornado
from tornado.routing import _DefaultMessageDelegate
from tornado.web import _HandlerDelegate, _has_stream_request_body

from .connection import serve
from .execution import forget_files, run
from .handler import LazyUI, begin, clear, finish, flush
from .request import HTTPServerRequest

__all__ = [
    "CHECKED",
    "HTTPServerRequest",
    "HandlerDelegate",
    "LazyUI",
    "NotFoundDelegate",
    "TOUCHED",
    "begin",
    "clear",
    "finish",
    "flush",
    "forget_files",
    "has_stream_request_body",
    "run",
    "serve",
]

CHECKED = (6, 6, 1) <= tornado.version_info[:3] < (6, 7)
"""Whether the installed Tornado is of a minor version that was read."""

TOUCHED = {
    "tornado.web.RequestHandler.__init__": "repeated without the namespaces of `ui`, which few requests use",
    "tornado.web.RequestHandler.clear": "repeated with the header lists ready made and the date of this second",
    "tornado.web.RequestHandler.finish": "repeated for a response that is whole: one join, no set-up for later chunks",
    "tornado.web.RequestHandler.flush": "repeated for the first chunk",
    "tornado.web.RequestHandler.compute_etag": "the same hash, of the joined body",
    "tornado.web.RequestHandler.set_etag_header": "skipped where the class does not override it",
    "tornado.web.RequestHandler.check_etag_header": "skipped where the request has no If-None-Match",
    "tornado.web.RequestHandler._execute": "repeated as plain calls, for methods that are no coroutines",
    "tornado.web.RequestHandler._cross_origin_protection": "called where `_execute` calls it",
    "tornado.web.RequestHandler._handle_request_exception": "called where `_execute` calls it",
    "tornado.web.RequestHandler._break_cycles": "called where `finish` calls it",
    "tornado.web.RequestHandler._log": "called where `finish` calls it",
    "tornado.web.RequestHandler._ui_method": "makes an entry of `ui`, at its first use",
    "tornado.web._UIModuleNamespace": "the namespace of UI modules, made at the first use",
    "tornado.web._HandlerDelegate": "its `execute` decides whether a request takes the short path",
    "tornado.routing._RoutingDelegate": "repeated, together with the context of the request",
    "tornado.routing._DefaultMessageDelegate": "the answer where `find_handler` found none",
    "tornado.web._has_stream_request_body": "streamed bodies need the task, and do not take the short path",
    "tornado.httputil.HTTPHeaders.__init__": "the two dictionaries that it makes are filled without a check per name",
    "tornado.httputil.HTTPHeaders.__getitem__": "reads through the second dictionary, which may begin empty",
    "tornado.httputil.HTTPHeaders.parse": "repeated, with the lines remembered that clients send again and again",
    "tornado.httputil.HTTPServerRequest.__init__": "repeated where there is no query; hosts are checked once",
    "tornado.httpserver.HTTPServer.handle_stream": "repeated, to make connections that take a response in one call",
    "tornado.httpserver._HTTPRequestContext": "what `handle_stream` gives to a connection",
    "tornado.http1connection.HTTP1ServerConnection._server_request_loop": "repeated, to make such connections",
    "tornado.http1connection.HTTP1Connection.__init__": "the attributes that `write_response` reads and sets",
    "tornado.http1connection.HTTP1Connection._read_message_inner": "calls the methods that are overridden",
    "tornado.http1connection.HTTP1Connection._parse_headers": "overridden, to parse as `HTTPHeaders.parse` does here",
    "tornado.http1connection.HTTP1Connection.write_headers": "repeated for a whole response to HTTP/1.1",
    "tornado.http1connection.HTTP1Connection.finish": "repeated for a whole response to HTTP/1.1",
    "tornado.http1connection.HTTP1Connection._finish_request": "overridden, to leave Nagle's algorithm off",
    "tornado.http1connection.HTTP1Connection._on_write_complete": "called where `write_headers` has it called",
    "tornado.http1connection.HTTP1Connection._clear_callbacks": "called where `_finish_request` calls it",
    "tornado.iostream.IOStream.write_to_fd": "called for a response that the socket takes at once",
    "tornado.iostream.BaseIOStream.write": "what `write_to_fd` must not overtake",
    "tornado.httputil.HTTPServerRequest._parse_body": "not called where the request has neither type nor body",
}

HandlerDelegate = _HandlerDelegate
NotFoundDelegate = _DefaultMessageDelegate
has_stream_request_body = _has_stream_request_body
