"""The undocumented names of Tornado that are used stand in one place, and are those that were read."""

import ast
import hashlib
import importlib
import inspect
from pathlib import Path

import pytest
import tornado

import torngas_middleware
from torngas_middleware import _tornado

SOURCES = {
    "tornado.web.RequestHandler.__init__": "167c83fa981ec45c",
    "tornado.web.RequestHandler.clear": "499127e7b6e0b48e",
    "tornado.web.RequestHandler.finish": "17106b3ecf893637",
    "tornado.web.RequestHandler.flush": "3ae7fe815121807e",
    "tornado.web.RequestHandler.compute_etag": "5bfbaff1f31c6d8f",
    "tornado.web.RequestHandler.set_etag_header": "6d3279487ae22214",
    "tornado.web.RequestHandler.check_etag_header": "82500d47c6bff2ff",
    "tornado.web.RequestHandler._execute": "9b08100bb022ac0d",
    "tornado.web.RequestHandler._cross_origin_protection": "eec9970c2ee9530b",
    "tornado.web.RequestHandler._handle_request_exception": "7de18d7a501833c6",
    "tornado.web.RequestHandler._break_cycles": "d2b48979c2e72f34",
    "tornado.web.RequestHandler._log": "e8222c0c6b5bc0ed",
    "tornado.web.RequestHandler._ui_method": "fe4477ea1aa43e7e",
    "tornado.web._UIModuleNamespace": "911edee967a9a822",
    "tornado.web._HandlerDelegate": "36b3a91ddc13fed8",
    "tornado.routing._RoutingDelegate": "17a076e3235b2a7b",
    "tornado.routing._DefaultMessageDelegate": "76a80c0bb2097259",
    "tornado.web._has_stream_request_body": "a53bef18f8344eb1",
    "tornado.httputil.HTTPHeaders.__init__": "697d107cd0e89225",
    "tornado.httputil.HTTPHeaders.__getitem__": "34349264af6ce4ad",
    "tornado.httputil.HTTPHeaders.parse": "25511e71dee9342b",
    "tornado.httputil.HTTPServerRequest.__init__": "189551b6385eb71e",
    "tornado.httpserver.HTTPServer.handle_stream": "164864e68f57d899",
    "tornado.httpserver._HTTPRequestContext": "c86fc466c85d79ec",
    "tornado.http1connection.HTTP1ServerConnection._server_request_loop": "878caf064d85d615",
    "tornado.http1connection.HTTP1Connection.__init__": "4e8ff1da022e19b9",
    "tornado.http1connection.HTTP1Connection._read_message_inner": "823ab7277a0b5056",
    "tornado.http1connection.HTTP1Connection._parse_headers": "b3c54fda82dad6ac",
    "tornado.http1connection.HTTP1Connection.write_headers": "0cfc1ef0b6793acd",
    "tornado.http1connection.HTTP1Connection.finish": "06764160f2a948ce",
    "tornado.http1connection.HTTP1Connection._finish_request": "e3d5be7a8e4cbc42",
    "tornado.http1connection.HTTP1Connection._on_write_complete": "323a3bc7bd96234c",
    "tornado.http1connection.HTTP1Connection._clear_callbacks": "7ed1248499c40cc1",
    "tornado.iostream.IOStream.write_to_fd": "d84acfd03a8c72e8",
    "tornado.iostream.BaseIOStream.write": "359435fb31c50ddb",
    "tornado.httputil.HTTPServerRequest._parse_body": "8067f3c9eeb65d52",
}


def source(name):
    """The text of what a dotted name means."""
    parts = name.split(".")
    found = importlib.import_module(".".join(parts[:2]))
    for part in parts[2:]:
        found = getattr(found, part)
    return inspect.getsource(found)


def digest(name):
    return hashlib.sha256(source(name).encode()).hexdigest()[:16]


def test_every_touched_name_is_compared():
    assert set(SOURCES) == set(_tornado.TOUCHED)
    assert all(_tornado.TOUCHED.values())


@pytest.mark.parametrize("name", SOURCES)
def test_tornado_is_as_it_was_read(name):
    """If this fails: read what changed, adapt `torngas_middleware._tornado`, and write down the new digest."""
    assert digest(name) == SOURCES[name], f"Tornado {tornado.version} changed {name}: {_tornado.TOUCHED[name]}"


def test_undocumented_names_are_imported_in_one_place_only():
    home = Path(torngas_middleware.__file__).parent
    for path in home.rglob("*.py"):
        if "_tornado" in path.relative_to(home).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tornado"):
                assert not [alias.name for alias in node.names if alias.name.startswith("_")], path


def test_the_installed_tornado_is_one_that_was_read():
    assert _tornado.CHECKED
