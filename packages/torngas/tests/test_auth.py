"""One `current_user`, whoever found it: sessions, tokens, basic authentication, on handlers and by modules."""

from __future__ import annotations

import asyncio
import base64
import logging
import threading

import pytest
from tornado.web import RequestHandler, authenticated

from torngas.application import Application
from torngas.auth import (
    AuthConfigError,
    AuthMixin,
    AuthModule,
    AuthScheme,
    BasicAuth,
    BearerAuth,
    Identity,
    InvalidCredentials,
    SessionAuth,
    Tokens,
    identity_of,
    login,
    logout,
    requires,
)
from torngas.handler import ApiHandler, WebHandler
from torngas.testing import Client
from torngas_cache import create_cache
from torngas_httpmodule import HttpModuleMiddleware
from torngas_session import MemoryStore, SessionMiddleware


@pytest.fixture
def tokens(request):
    made = create_cache("locmem", request.node.name)
    yield Tokens(made)
    made.close()


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def verify(user, password):
    return (user, password) == ("ada", "s3crét")


class Login(WebHandler):
    def get(self):
        login(self, self.get_query_argument("user"))

    def delete(self):
        logout(self)


@pytest.fixture
def orders(tokens):
    """Handlers with all three schemes."""

    class Orders(AuthMixin, ApiHandler):
        auth = (BearerAuth(tokens), BasicAuth(verify), SessionAuth(scopes=lambda user: ["read"]))

        def get(self):
            identity = self.identity
            self.write({"user": self.current_user, "by": identity and identity.scheme})

        @requires("write")
        def post(self):
            self.write({"wrote": self.current_user})

        @requires()
        async def put(self):
            self.write({"put": self.current_user})

        @authenticated
        def patch(self):
            self.write({"patched": self.current_user})

        @requires("read")
        def delete(self):
            self.write({"deleted": self.current_user})

    return Orders


def served(*routes, modules=None, **settings):
    settings = {"cookie_secret": "of the tests", "login_url": "/login", **settings}
    middlewares = [SessionMiddleware(MemoryStore(), {"secret_key": "of the tests"})]
    if modules is not None:
        middlewares.append(modules)
    return Application([("/login", Login), *routes], middlewares=middlewares, **settings)


@pytest.fixture
def client(orders):
    with Client(served(("/", orders))) as made:
        yield made


def issue(client, tokens, *scopes, user="tom"):
    return client.run(tokens.issue(user, scopes)).token


def test_nobody_is_anonymous_and_goes_through(client):
    assert client.get("/").json() == {"user": None, "by": None}


def test_every_scheme_gives_the_current_user(client, tokens):
    assert client.get("/", headers=bearer(issue(client, tokens))).json() == {"user": "tom", "by": "bearer"}
    assert client.get("/", headers=basic("ada", "s3crét")).json() == {"user": "ada", "by": "basic"}
    client.get("/login", query={"user": "sue"})
    assert client.get("/").json() == {"user": "sue", "by": "session"}
    client.delete("/login")
    assert client.get("/").json()["user"] is None


def test_the_first_scheme_with_credentials_decides(client, tokens):
    client.login("sue")
    assert client.get("/", headers=bearer(issue(client, tokens))).json()["user"] == "tom"
    assert client.get("/", headers=basic("ada", "s3crét")).json()["user"] == "ada"


@pytest.mark.parametrize("headers", [bearer("x" * 43), basic("ada", "wrong"), basic("eve", "s3crét")])
def test_wrong_credentials_are_refused_even_where_nobody_would_do_and_whatever_the_session(client, headers):
    client.login("sue")
    assert client.get("/", headers=headers).status_code == 401


def test_a_401_names_all_challenges(client):
    answer = client.put("/")
    assert answer.status_code == 401
    assert answer.headers.get_list("WWW-Authenticate") == [
        'Bearer realm="api"',
        'Basic realm="api", charset="UTF-8"',
        'Session realm="api"',
    ]
    assert answer.json()["title"] == "Unauthorized"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_invalid_token_is_called_so_and_a_missing_one_is_not(client):
    """RFC 6750 §3.1: no error code where no token was sent."""
    first, *others = client.put("/", headers=bearer("x" * 43)).headers.get_list("WWW-Authenticate")
    assert first == (
        'Bearer realm="api", error="invalid_token", error_description="the token is expired, revoked or unknown"'
    )
    assert others == ['Basic realm="api", charset="UTF-8"', 'Session realm="api"']
    assert "error" not in client.put("/").headers["WWW-Authenticate"]


@pytest.mark.parametrize("value", ["Bearer", "Bearer a b", 'Bearer "quoted"', "bearer a,b"])
def test_a_malformed_token_is_an_invalid_one(client, value):
    """RFC 6750 §3.1 names it so."""
    answer = client.get("/", headers={"Authorization": value})
    assert answer.status_code == 401
    assert 'error="invalid_token", error_description="the token is malformed"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic YWRh", "Basic /w==", "Basic YTpiCg=="])
def test_a_malformed_basic_header_is_refused(client, value):
    assert client.get("/", headers={"Authorization": value}).status_code == 401


def test_another_scheme_in_the_header_is_nobody_s(client):
    assert client.get("/", headers={"Authorization": "Digest username=x"}).json()["user"] is None


def test_the_scheme_s_name_may_be_in_any_case(client, tokens):
    headers = {"Authorization": f"bEARER {issue(client, tokens)}"}
    assert client.get("/", headers=headers).json()["user"] == "tom"


def test_a_missing_scope_is_a_403_that_names_it(client, tokens):
    answer = client.post("/", headers=bearer(issue(client, tokens, "read")))
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api", error="insufficient_scope", scope="write"'
    assert answer.json()["scopes"] == ["write"]
    assert client.post("/", headers=bearer(issue(client, tokens, "read", "write"))).json() == {"wrote": "tom"}


def test_sessions_and_passwords_have_the_scopes_that_were_declared_and_no_other(client):
    assert client.post("/", headers=basic("ada", "s3crét")).status_code == 403
    client.login("sue")
    answer = client.post("/")
    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers
    assert client.delete("/").json() == {"deleted": "sue"}


def test_tornado_s_authenticated_works_beside_it(client, tokens):
    assert client.patch("/").status_code == 403
    assert client.patch("/", headers=bearer(issue(client, tokens))).json() == {"patched": "tom"}


def test_a_revoked_token_ends_at_once(client, tokens):
    token = issue(client, tokens)
    assert client.put("/", headers=bearer(token)).status_code == 200
    client.run(tokens.revoke_all("tom"))
    assert client.put("/", headers=bearer(token)).status_code == 401


def test_users_are_loaded_before_the_method_also_asynchronously(tokens):
    class Main(AuthMixin, WebHandler):
        auth = (BearerAuth(tokens), SessionAuth())

        async def load_user(self, identity):
            await asyncio.sleep(0)
            return {"tom": {"name": "Tom"}}.get(identity.subject)

        def get(self):
            self.write({"user": self.current_user, "subject": self.identity and self.identity.subject})

    with Client(served(("/", Main))) as client:
        assert client.get("/", headers=bearer(issue(client, tokens))).json() == {
            "user": {"name": "Tom"},
            "subject": "tom",
        }
        assert client.get("/", headers=bearer(issue(client, tokens, user="gone"))).status_code == 401
        client.login("gone")
        assert client.get("/").json()["user"] is None


def test_a_handler_s_own_current_user_stays_where_no_scheme_finds_one(tokens):
    class Main(AuthMixin, WebHandler):
        auth = (BearerAuth(tokens),)

        def get_current_user(self):
            return "from the cookie"

        @requires()
        def get(self):
            self.write(self.current_user)

        @requires("read")
        def delete(self):
            pass

    with Client(served(("/", Main))) as client:
        assert client.get("/").text == "from the cookie"
        assert client.get("/", headers=bearer(issue(client, tokens))).text == "tom"
        assert client.delete("/").status_code == 403


def test_a_handler_s_prepare_runs_after_it_and_not_for_who_is_refused(tokens):
    seen = []

    class Base(WebHandler):
        async def prepare(self):
            await asyncio.sleep(0)
            seen.append(self.current_user)

    class Main(AuthMixin, Base):
        auth = (BearerAuth(tokens),)

        def get(self):
            pass

        @requires()
        def post(self):
            seen.append("post")

    with Client(served(("/", Main))) as client:
        client.get("/", headers=bearer(issue(client, tokens)))
        client.post("/")
    assert seen == ["tom"]


# XSRF


@pytest.fixture
def guarded(orders):
    with Client(served(("/", orders), xsrf_cookies=True), xsrf=False) as made:
        yield made


def test_a_bearer_token_needs_no_xsrf_token(guarded, tokens):
    assert guarded.post("/", headers=bearer(issue(guarded, tokens, "write"))).status_code == 200


@pytest.mark.parametrize("headers", [{}, basic("ada", "s3crét")])
def test_a_session_and_a_password_need_it(guarded, headers):
    guarded.login("sue")
    assert guarded.put("/", headers=headers).status_code == 403
    token = {"Cookie": guarded.cookies.header("/") + "; _xsrf=abcdef", "X-Xsrftoken": "abcdef"}
    assert guarded.put("/", headers={**headers, **token}).status_code == 200


def test_a_bearer_header_that_no_scheme_takes_does_not_let_a_session_through():
    class Main(AuthMixin, WebHandler):
        auth = (SessionAuth(),)

        def post(self):
            self.write("done")

    with Client(served(("/", Main), xsrf_cookies=True), xsrf=False) as client:
        client.login("sue")
        assert client.post("/", headers=bearer("x" * 43)).status_code == 403
        client.logout()
        assert client.post("/", headers=bearer("x" * 43)).status_code == 403


def test_passwords_of_programs_need_no_xsrf_token_where_browsers_are_excluded():
    class Main(AuthMixin, WebHandler):
        auth = (BasicAuth(verify, ambient=False),)

        def post(self):
            self.write(self.current_user)

    with Client(served(("/", Main), xsrf_cookies=True), xsrf=False) as client:
        assert client.post("/", headers=basic("ada", "s3crét")).text == "ada"


# modules


class Plain(RequestHandler):
    def get(self):
        identity = identity_of(self)
        self.write({"user": self.current_user, "by": identity and identity.scheme})

    @requires("write")
    def post(self):
        self.write({"wrote": self.current_user})


def test_a_module_authenticates_for_handlers_that_know_nothing_of_it(tokens):
    modules = HttpModuleMiddleware([AuthModule(BearerAuth(tokens), SessionAuth())])
    with Client(served(("/", Plain), modules=modules)) as client:
        assert client.get("/").json() == {"user": None, "by": None}
        assert client.get("/", headers=bearer(issue(client, tokens))).json() == {"user": "tom", "by": "bearer"}
        assert client.get("/", headers=bearer("x" * 43)).status_code == 401
        assert client.post("/").status_code == 401
        assert client.post("/", headers=bearer(issue(client, tokens))).status_code == 403
        assert client.post("/", headers=bearer(issue(client, tokens, "write"))).json() == {"wrote": "tom"}
        client.login("sue")
        assert client.get("/").json() == {"user": "sue", "by": "session"}


def test_a_module_may_require_a_user_and_scopes_of_chosen_routes(tokens):
    routes = {
        "^/private": [AuthModule(BearerAuth(tokens), required=True)],
        "^/admin": [AuthModule(BearerAuth(tokens), scopes=["admin"])],
    }
    paths = [("/", Plain), ("/private", Plain), ("/admin", Plain)]
    with Client(served(*paths, modules=HttpModuleMiddleware((), routes))) as client:
        assert [client.get(path).status_code for path in ("/", "/private", "/admin")] == [200, 401, 401]
        headers = bearer(issue(client, tokens))
        assert [client.get(path, headers=headers).status_code for path in ("/private", "/admin")] == [200, 403]
        assert client.get("/admin", headers=bearer(issue(client, tokens, "admin"))).status_code == 200


def test_a_subclass_can_be_declared_by_its_path_alone(tokens):
    class Api(AuthModule):
        schemes = (BearerAuth(tokens),)
        required = True

        def load_user(self, handler, identity):
            return identity.subject.upper()

    with Client(served(("/", Plain), modules=HttpModuleMiddleware([], {"^/$": [Api]}))) as client:
        assert client.get("/").status_code == 401
        assert client.get("/", headers=bearer(issue(client, tokens))).json()["user"] == "TOM"


def test_a_handler_s_schemes_come_after_its_module_s(tokens):
    class Main(AuthMixin, WebHandler):
        auth = (BasicAuth(verify),)

        @requires()
        def get(self):
            self.write(self.current_user)

    modules = HttpModuleMiddleware([AuthModule(SessionAuth())])
    with Client(served(("/", Main), modules=modules)) as client:
        assert client.get("/").headers.get_list("WWW-Authenticate") == [
            'Session realm="api"',
            'Basic realm="api", charset="UTF-8"',
        ]
        assert client.get("/", headers=basic("ada", "s3crét")).text == "ada"


def test_a_module_without_schemes_is_refused():
    with pytest.raises(AuthConfigError, match="no scheme"):
        AuthModule()


# requires


def test_a_method_may_name_its_schemes_and_then_needs_nothing_else(tokens):
    scheme = BearerAuth(tokens)

    class Main(RequestHandler):
        @requires("read", auth=scheme)
        def get(self):
            self.write(self.current_user)

        @requires(auth=[scheme])
        async def post(self):
            self.write(self.current_user)

    with Client(served(("/", Main))) as client:
        assert client.get("/").status_code == 401
        assert client.get("/", headers=bearer(issue(client, tokens))).status_code == 403
        assert client.get("/", headers=bearer(issue(client, tokens, "read"))).text == "tom"
        assert client.post("/", headers=bearer(issue(client, tokens))).text == "tom"
        assert client.post("/", headers=bearer("x" * 43)).status_code == 401


def test_a_method_that_names_a_scheme_takes_no_other(tokens):
    scheme = BearerAuth(tokens)

    class Main(AuthMixin, WebHandler):
        auth = (scheme, SessionAuth())

        @requires(auth=scheme)
        def get(self):
            self.write(self.current_user)

    with Client(served(("/", Main))) as client:
        client.login("sue")
        answer = client.get("/")
        assert (answer.status_code, answer.headers.get_list("WWW-Authenticate")) == (401, ['Bearer realm="api"'])
        assert client.get("/", headers=bearer(issue(client, tokens))).text == "tom"


def test_a_method_that_names_a_scheme_does_not_take_a_handler_s_own_user_either(tokens):
    class Main(RequestHandler):
        def get_current_user(self):
            return "from the cookie"

        @requires(auth=BearerAuth(tokens))
        def get(self):
            self.write(self.current_user)

    with Client(served(("/", Main))) as client:
        assert client.get("/").status_code == 401


def test_security_says_which_schemes_open_a_method(tokens, orders):
    scheme = BearerAuth(tokens)

    class Main(RequestHandler):
        @requires("read", "write", auth=scheme)
        def get(self):
            """Has documentation."""

    assert Main.get.__security__ == ((scheme, ("read", "write")),)
    assert Main.get.__doc__ == "Has documentation."
    assert [(one.scheme_name, scopes) for one, scopes in orders.post.__security__] == [
        ("bearer", ("write",)),
        ("basic", ("write",)),
        ("session", ("write",)),
    ]
    assert not hasattr(orders.get, "__security__")


def test_schemes_have_names_and_security_scheme_objects(tokens):
    schemes = (BearerAuth(tokens), BasicAuth(verify), SessionAuth(cookie="sid", name="login"))
    assert {one.scheme_name: one.openapi_scheme for one in schemes} == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "opaque"},
        "basic": {"type": "http", "scheme": "basic"},
        "login": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }


@pytest.mark.parametrize("scopes", [("two words",), ("",), ('"',), (lambda self: None,)])
def test_what_is_no_scope_is_refused_as_the_class_is_made(scopes):
    with pytest.raises(AuthConfigError, match="is no scope"):
        requires(*scopes)


# schemes of one's own, and two in one header


class ApiKey(AuthScheme):
    scheme_name = "key"

    def authenticate(self, handler):
        key = handler.request.headers.get("X-Api-Key")
        if key is None:
            return None
        if key != "right":
            raise InvalidCredentials("the key is not valid")
        return Identity(subject="robot", user="robot", scheme="key")


def test_a_scheme_of_one_s_own_fits():
    modules = HttpModuleMiddleware([AuthModule(ApiKey())])
    with Client(served(("/", Plain), modules=modules)) as client:
        assert client.get("/", headers={"X-Api-Key": "right"}).json()["user"] == "robot"
        assert client.get("/", headers={"X-Api-Key": "wrong"}).status_code == 401
        assert client.post("/").status_code == 401


def test_two_kinds_of_bearer_tokens_stand_beside_each_other(tokens, request):
    other = Tokens(create_cache("locmem", request.node.name + "2"))
    modules = HttpModuleMiddleware([AuthModule(BearerAuth(tokens), BearerAuth(other, name="other"))])
    with Client(served(("/", Plain), modules=modules)) as client:
        assert client.get("/", headers=bearer(issue(client, other))).json()["by"] == "other"
        assert client.get("/", headers=bearer("x" * 43)).status_code == 401


# basic authentication's callable


@pytest.mark.parametrize("blocking", [True, False])
def test_a_verify_that_blocks_runs_in_a_thread(blocking):
    seen = []

    def noted(user, password):
        seen.append(threading.current_thread() is threading.main_thread())
        return True

    modules = HttpModuleMiddleware([AuthModule(BasicAuth(noted, blocking=blocking))])
    with Client(served(("/", Plain), modules=modules)) as client:
        assert client.get("/", headers=basic("ada", "x")).json()["user"] == "ada"
    assert seen == [not blocking]


def test_a_verify_may_be_async_and_answer_the_user_s_id():
    async def found(user, password):
        await asyncio.sleep(0)
        return 7 if password == "a:b" else None

    modules = HttpModuleMiddleware([AuthModule(BasicAuth(found, scopes=["write"]))])
    with Client(served(("/", Plain), modules=modules)) as client:
        assert client.get("/", headers=basic("ada", "a:b")).json()["user"] == 7
        assert client.post("/", headers=basic("ada", "a:b")).json() == {"wrote": 7}
        assert client.get("/", headers=basic("ada", "wrong")).status_code == 401


def test_wrong_user_and_wrong_password_get_the_same_answer(client):
    answers = [client.get("/", headers=basic(*one)) for one in (("ada", "wrong"), ("nobody", "wrong"))]
    assert answers[0].body == answers[1].body
    first, second = (sorted(one for one in answer.headers.get_all() if one[0] != "Date") for answer in answers)
    assert first == second


# what is wrong, and what is told


def test_sessions_without_their_middleware_are_an_error_that_names_it():
    class Main(AuthMixin, WebHandler):
        auth = (SessionAuth(),)

        def get(self):
            pass

    with Client(Application([("/", Main)])) as client:
        assert client.get("/").status_code == 500


def test_no_secret_is_ever_logged(client, tokens, caplog):
    token = issue(client, tokens, "read")
    with caplog.at_level(logging.DEBUG):
        for headers in (bearer(token), bearer("wrong-" + token), basic("ada", "s3crét"), basic("ada", "n0pe")):
            client.get("/", headers=headers)
            client.post("/", headers=headers)
    credentials = [basic("ada", one)["Authorization"].split()[1] for one in ("s3crét", "n0pe")]
    for secret in (token, "s3crét", "n0pe", "Authorization", *credentials):
        assert secret not in caplog.text
        assert all(secret not in str(record.__dict__) for record in caplog.records)


def test_who_asks_for_html_gets_the_handler_s_page(client):
    answer = client.put("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/html; charset=UTF-8")
    assert len(answer.headers.get_list("WWW-Authenticate")) == 3


def test_hostile_realms_cannot_leave_their_quotes(tokens):
    scheme = BearerAuth(tokens, realm='a"b\\c\r\nX-Evil: 1')
    assert scheme.challenge() == 'Bearer realm="a\\"b\\\\c??X-Evil: 1"'
