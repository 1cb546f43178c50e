"""Parts of Tornado done again in fewer steps: the one place that touches undocumented names of Tornado.

`TOUCHED` lists what is repeated here, or relied on, with the reason. A test compares the source of each with the one
that was read when this was written. In a Tornado whose minor version was not (`CHECKED` is False) nothing of this is
used, and requests take Tornado's own way.
"""

from __future__ import annotations

import tornado
from tornado.routing import _DefaultMessageDelegate
from tornado.web import _HandlerDelegate, _has_stream_request_body

from .execution import forget_files, run
from .handler import LazyUI, begin, clear, finish, flush

__all__ = [
    "CHECKED",
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
]

CHECKED = (6, 6, 1) <= tornado.version_info[:3] < (6, 7)
"""Whether the installed Tornado is of a minor version that was read."""

TOUCHED = {
    "tornado.web.RequestHandler.__init__": "repeated without the namespaces of `ui`, which few requests use",
    "tornado.web.RequestHandler.clear": "repeated with the header lists ready made and the date of this second",
    "tornado.web.RequestHandler.finish": "repeated for a response that is whole: one join, no set-up for later chunks",
    "tornado.web.RequestHandler.flush": "repeated for the first chunk, where no transform changes it",
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
    "tornado.httputil.HTTPServerRequest._parse_body": "not called where the request has neither type nor body",
}

HandlerDelegate = _HandlerDelegate
NotFoundDelegate = _DefaultMessageDelegate
has_stream_request_body = _has_stream_request_body
