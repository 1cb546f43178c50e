"""Problem details: what is in them, and which errors become some."""

from __future__ import annotations

import json

import pytest
from tornado.web import Application as TornadoApplication
from tornado.web import HTTPError, RequestHandler

from torngas.api import Problem, ProblemErrors, endpoint
from torngas.api.problem import answers_problems
from torngas.application import Application
from torngas.exception import Http404
from torngas.handler import ApiHandler, ErrorHandler
from torngas.settings_manager import Settings
from torngas.testing import Client
from torngas_middleware import RequestIdMiddleware
from torngas_router import path


class Failing(ApiHandler):
    @endpoint()
    def get(self, how: str) -> None:
        raise {
            "named": Http404("no note %s", "secret"),
            "plain": HTTPError(403, "the secret", reason="Not for you"),
            "limit": Problem(429, headers={"Retry-After": "7"}),
            "error": ValueError("secret"),
            "percent": Problem(400, "100%s <b>&amp;</b>\nnext\u2028"),
            "instance": Problem(400, instance="/problems/7", type="https://example.com/p", title="A title", left=[1]),
        }[how]

    @endpoint()
    def post(self) -> None:
        self.get_argument("absent")

    @endpoint()
    async def put(self) -> None:
        raise HTTPError(304)

    def delete(self):
        raise HTTPError(409)


class All(ProblemErrors, ApiHandler):
    def prepare(self):
        if self.get_argument("prepare", ""):
            raise HTTPError(410)

    @endpoint()
    def get(self, n: int = 0) -> dict[str, int]:
        return {"n": n}

    def post(self):
        raise ZeroDivisionError


class Nowhere(ProblemErrors, ErrorHandler):
    """404."""


@pytest.fixture(scope="module")
def client():
    application = Application(
        [path("/failing", Failing), path("/all", All)],
        default_handler_class=Nowhere,
        middlewares=[RequestIdMiddleware],
        project_settings=Settings({"DEBUG": True}),
        xsrf_cookies=True,
    )
    with Client(application, xsrf=False, close_application=True) as made:
        yield made


def problem(response):
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    found = response.json()
    assert found["status"] == response.status_code
    assert found.pop("request_id") == response.headers["X-Request-Id"]
    return found


def test_of_an_http_error_the_log_message_stays_in_the_log(client, caplog):
    assert problem(client.get("/failing?how=named")) == {"type": "about:blank", "title": "Not Found", "status": 404}
    assert "no note secret" in caplog.text
    assert problem(client.get("/failing?how=plain"))["title"] == "Not for you"


def test_an_uncaught_exception_is_500_without_its_message(client):
    found = client.get("/failing?how=error", headers={"Accept": "application/json"})
    assert problem(found) == {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def test_who_asks_for_html_gets_the_page_of_debug(client):
    page = client.get("/failing?how=error", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "ValueError" in page.text


def test_headers_members_and_extensions(client):
    limited = client.get("/failing?how=limit")
    assert limited.headers["Retry-After"] == "7"
    assert problem(limited)["title"] == "Too Many Requests"
    assert problem(client.get("/failing?how=instance")) == {
        "type": "https://example.com/p", "title": "A title", "status": 400, "instance": "/problems/7", "left": [1],
    }  # fmt: skip


def test_nothing_is_sent_that_markup_could_be_made_of(client, caplog):
    response = client.get("/failing?how=percent")
    assert problem(response)["detail"] == "100%s <b>&amp;</b>\nnext\u2028"
    assert not set("<>&\u2028") & set(response.text)
    assert "100%s <b>&amp;</b> next" in caplog.text  # one line in the log


def test_a_missing_argument_is_named(client):
    found = client.post("/failing", headers={"X-XSRFToken": "no"})
    assert found.status_code == 403  # XSRF is checked before the method, by the handler's own page
    with Client(TornadoApplication([("/x", Failing)])) as other:
        assert other.post("/x").json()["detail"] == "The argument 'absent' is missing."


def test_redirects_and_not_modified_are_no_problems():
    class Unchanged(RequestHandler):
        @endpoint()
        def get(self) -> None:
            raise HTTPError(304)

    for kind in (Unchanged, type("Other", (ProblemErrors, Unchanged), {})):
        with Client(TornadoApplication([("/x", kind)])) as client:
            response = client.get("/x")
            assert (response.status_code, response.body) == (304, b"")


def test_a_handlers_own_write_error_stays():
    class Own(ApiHandler):
        @endpoint()
        def get(self, n: int) -> None: ...

        def write_error(self, status_code, **kwargs):
            self.finish({"own": status_code, "errors": len(kwargs["exc_info"][1].errors)})

    with Client(Application([path("/x", Own)])) as client:
        assert client.get("/x").json() == {"own": 422, "errors": 1}


def test_problem_errors_answers_what_no_method_sees(client):
    assert problem(client.get("/all?prepare=1"))["status"] == 410
    assert problem(client.post("/all"))["title"] == "Forbidden"  # XSRF
    assert problem(client.get("/nowhere"))["status"] == 404
    assert problem(client.get("/all?n=x"))["errors"] == [{"in": "query", "name": "n", "detail": "Expected `int`"}]


def test_a_405_names_the_methods_that_there_are():
    with Client(Application([path("/all", All)], middlewares=[RequestIdMiddleware])) as client:
        refused = client.put("/all")
        assert problem(refused)["status"] == 405
        assert refused.headers["Allow"] == "GET, POST"


def test_plain_handlers_answer_as_before(client):
    class Plain(ApiHandler):
        def get(self):
            raise HTTPError(409)

    with Client(Application([path("/x", Plain)])) as other:
        assert other.get("/x").headers["Content-Type"].startswith("text/html")
        assert other.get("/x", headers={"Accept": "application/json"}).json() == {"status": 409, "title": "Conflict"}


def test_whether_a_handler_has_typed_methods():
    class Probe:
        SUPPORTED_METHODS = ("GET", "POST")
        get = Failing.get

    assert answers_problems(Probe())  # type: ignore[arg-type]
    assert not answers_problems(type("None_", (), {"SUPPORTED_METHODS": ("GET",)})())


@pytest.mark.parametrize("status", [200, 304, 399, 600])
def test_a_status_that_is_no_error_is_refused(status):
    with pytest.raises(ValueError, match=rf"Problem: got status {status}; expected one from 400 to 599"):
        Problem(status)


def test_an_extension_cannot_take_a_standard_name():
    with pytest.raises(TypeError):
        Problem(400, status=3)
    with pytest.raises(ValueError, match=r"got the extension members \['request_id'\]"):
        Problem(400, request_id="x")


def test_of_gives_an_error_its_problem():
    given = Problem(418)
    assert Problem.of(given, 500) is given
    assert Problem.of(None, 503).members() == {"type": "about:blank", "title": "Service Unavailable", "status": 503}
    assert json.loads(json.dumps(Problem.of(HTTPError(404), 404).members()))["title"] == "Not Found"
