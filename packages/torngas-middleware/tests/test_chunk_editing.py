"""process_response edits the body in place; the headers are those of the edited body."""

import hashlib

import pytest
import tornado.web
from tornado.web import RequestHandler

from torngas_middleware import Application, HookError

modes = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def page(action):
    return type("Page", (RequestHandler,), {"get": action, "head": action, "post": action})


def write(*parts, **headers):
    def get(self):
        for name, value in headers.items():
            self.set_header(name.replace("_", "-"), value)
        for part in parts:
            self.write(part)

    return page(get)


def etag(body):
    return f'"{hashlib.sha1(body).hexdigest()}"'


async def exchange(serve, recorder, handler, edit, is_async, **options):
    server = serve(
        Application([("/", handler)], middlewares=[recorder("A", [], {"response": edit}, is_async, ("response",))])
    )
    return await server.fetch("/", **options)


def replace_first(handler, clear, chunk):
    chunk[0] = b"replaced"


def append(handler, clear, chunk):
    handler.write("<end>")


def empty(handler, clear, chunk):
    chunk.clear()


def text(handler, clear, chunk):
    chunk[0] = "gr\u00fcn"


def views(handler, clear, chunk):
    chunk[0] = memoryview(bytearray(b"view"))
    chunk.append(bytearray(b"+array"))


EDITS = {
    "replace": (replace_first, b"replaced, world"),
    "append": (append, b"hello, world<end>"),
    "empty": (empty, b""),
    "text": (text, "gr\u00fcn, world".encode()),
    "views": (views, b"view, world+array"),
    "insert": (lambda h, c, chunk: chunk.insert(0, b">"), b">hello, world"),
    "binary": (lambda h, c, chunk: chunk.__setitem__(0, bytes(range(256))), bytes(range(256)) + b", world"),
}


@modes
@pytest.mark.parametrize("name", EDITS)
async def test_the_edited_body_is_sent_with_its_own_headers(serve, recorder, name, is_async):
    edit, body = EDITS[name]
    response = await exchange(serve, recorder, write("hello", ", world"), edit, is_async)
    assert (response.code, response.body) == (200, body)
    assert response.headers["Content-Length"] == str(len(body))
    assert response.headers["Etag"] == etag(body)


@modes
@pytest.mark.parametrize("name", EDITS)
async def test_what_the_handler_announced_before_the_edit_is_corrected(serve, recorder, name, is_async):
    edit, body = EDITS[name]
    handler = write("hello", ", world", Content_Length="12", Etag='"old"')
    response = await exchange(serve, recorder, handler, edit, is_async)
    assert (response.code, response.body) == (200, body)
    assert response.headers["Content-Length"] == str(len(body))
    assert response.headers["Etag"] == etag(body)


@modes
async def test_an_unedited_body_keeps_the_handlers_headers(serve, recorder, is_async):
    handler = write("hello", Content_Length="5", Etag='"mine"')
    response = await exchange(serve, recorder, handler, lambda *args: None, is_async)
    assert (response.body, response.headers["Etag"]) == (b"hello", '"mine"')


@modes
async def test_headers_that_the_hook_sets_with_its_edit_stay(serve, recorder, is_async):
    def edit(handler, clear, chunk):
        chunk[:] = [b"packed"]
        handler.set_header("Etag", 'W/"packed"')
        handler.set_header("Content-Length", 6)

    response = await exchange(serve, recorder, write("hello", Etag='"old"'), edit, is_async)
    assert (response.body, response.headers["Etag"], response.headers["Content-Length"]) == (
        b"packed",
        'W/"packed"',
        "6",
    )


@modes
async def test_an_empty_body_can_be_filled(serve, recorder, is_async):
    response = await exchange(serve, recorder, write(), append, is_async)
    assert (response.body, response.headers["Content-Length"]) == (b"<end>", "5")


@modes
async def test_the_chunks_come_in_the_order_of_the_writes(serve, recorder, is_async):
    seen = []
    await exchange(serve, recorder, write("a", b"b", {"c": 1}), lambda h, c, chunk: seen.append(list(chunk)), is_async)
    assert seen == [[b"a", b"b", b'{"c": 1}']]


@modes
async def test_each_hook_sees_what_the_one_before_left(serve, recorder, is_async):
    seen = []

    def first(handler, clear, chunk):
        handler.clear()
        handler.write("new")

    middlewares = [
        recorder("A", [], {"response": lambda h, c, chunk: seen.append(list(chunk))}, is_async, ("response",)),
        recorder("B", [], {"response": first}, is_async, ("response",)),
    ]
    server = serve(Application([("/", write("old"))], middlewares=middlewares))
    assert (await server.fetch()).body == b"new"
    assert seen == [[b"new"]]


@modes
async def test_a_head_response_has_the_headers_of_the_edited_body(serve, recorder, is_async):
    response = await exchange(serve, recorder, write("hello"), append, is_async, method="HEAD")
    assert (response.body, response.headers["Content-Length"]) == (b"", "10")
    assert response.headers["Etag"] == etag(b"hello<end>")


@modes
async def test_if_none_match_is_compared_with_the_edited_body(serve, recorder, is_async):
    tag = {"If-None-Match": etag(b"hello<end>")}
    response = await exchange(serve, recorder, write("hello"), append, is_async, headers=tag)
    assert (response.code, response.body) == (304, b"")
    other = {"If-None-Match": etag(b"hello")}
    assert (await exchange(serve, recorder, write("hello"), append, is_async, headers=other)).code == 200


@modes
@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_stays_without(serve, recorder, status, is_async):
    """A hook that always appends must not turn it into an error."""
    handler = page(lambda self: self.set_status(status))
    response = await exchange(serve, recorder, handler, append, is_async)
    assert (response.code, response.body) == (status, b"")


@modes
async def test_error_pages_are_edited_too(serve, recorder, caplog, is_async):
    def get(self):
        raise tornado.web.HTTPError(404)

    response = await exchange(serve, recorder, page(get), append, is_async)
    assert (response.code, response.body[-5:]) == (404, b"<end>")
    assert response.headers["Content-Length"] == str(len(response.body))


@modes
@pytest.mark.parametrize("wrong", [None, 1, {"a": 1}, ["x"]], ids=repr)
async def test_what_is_no_body_becomes_a_500(serve, recorder, caplog, wrong, is_async):
    def edit(handler, clear, chunk):
        chunk[0] = wrong

    response = await exchange(serve, recorder, write("x"), edit, is_async)
    assert response.code == 500
    errors = [r.exc_info[1] for r in caplog.records if r.exc_info]
    assert [type(e) for e in errors] == [HookError]
    assert f"got {type(wrong).__name__} in chunk[0]" in str(errors[0])


@modes
async def test_a_stream_gives_the_hook_what_is_not_sent_yet(serve, recorder, is_async):
    seen = []

    def edit(handler, clear, chunk):
        seen.append(list(chunk))
        handler.write("!")

    async def get(self):
        self.write("a")
        await self.flush()
        self.write("b")

    response = await exchange(serve, recorder, page(get), edit, is_async)
    assert (response.body, seen) == (b"ab!", [[b"b"]])


@modes
async def test_static_files_run_through_the_hooks(serve, recorder, tmp_path, is_async):
    (tmp_path / "f.txt").write_text("static")
    events = []
    handlers = [("/(.*)", tornado.web.StaticFileHandler, {"path": str(tmp_path)})]
    middlewares = [recorder("A", events, None, is_async, ("request", "response"))]
    server = serve(Application(handlers, middlewares=middlewares))
    response = await server.fetch("/f.txt")
    assert (response.body, events) == (b"static", ["A.request", "A.response"])
    assert (await server.fetch("/f.txt", headers={"If-None-Match": response.headers["Etag"]})).code == 304
    ranged = await server.fetch("/f.txt", headers={"Range": "bytes=0-1"})
    assert (ranged.code, ranged.body) == (206, b"st")
