"""JSON Web Tokens: only with the algorithms, audience, issuer and lifetime that were asked for."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time

import jwt
import pytest

from torngas.auth import AuthConfigError, AuthMixin, JWTAuth, requires
from torngas.handler import ApiHandler
from torngas.testing import Client
from torngas_middleware import Application

KEY = "k" * 32
NOW = int(time.time())


def token(key=KEY, algorithm="HS256", headers=None, **claims):
    claims = {"sub": "ada", "exp": NOW + 3600, "aud": "orders", "iss": "https://login.example", **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers=headers)


def application(scheme):
    class Orders(AuthMixin, ApiHandler):
        auth = (scheme,)

        def get(self):
            identity = self.identity
            self.write({"user": self.current_user, "scopes": sorted(identity.scopes), "jti": identity.token_id})

        @requires("write")
        def post(self):
            self.write({"claims": self.identity.claims["iss"]})

    return Application([("/", Orders)])


def strict(**options):
    options = {"algorithms": ["HS256"], "audience": "orders", "issuer": "https://login.example", **options}
    return JWTAuth(options.pop("key", KEY), **options)


def ask(scheme, sent, method="GET"):
    with Client(application(scheme)) as client:
        return client.request(method, "/", headers={"Authorization": f"Bearer {sent}"})


def test_a_valid_token_gives_user_scopes_and_id():
    answer = ask(strict(), token(scope="read write", jti="7"))
    assert answer.json() == {"user": "ada", "scopes": ["read", "write"], "jti": "7"}
    assert ask(strict(), token(scope=["read", 7])).json()["scopes"] == ["read"]
    assert ask(strict(), token(sub="7")).json()["user"] == "7"


def test_scopes_open_methods():
    assert ask(strict(), token(scope="write"), "POST").json() == {"claims": "https://login.example"}
    refused = ask(strict(), token(scope="read"), "POST")
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="write"' in refused.headers["WWW-Authenticate"]


def unsigned():
    parts = [{"alg": "none", "typ": "JWT"}, {"sub": "ada", "exp": NOW + 3600, "aud": "orders"}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + "."


@pytest.mark.parametrize(
    "sent",
    [
        token(exp=NOW - 3600),
        token(exp=None),
        token(nbf=NOW + 3600),
        token(aud="others"),
        token(aud=None),
        token(iss="https://evil.example"),
        token(iss=None),
        token(sub=None),
        token(key="x" * 32),
        token(algorithm="HS512", key="k" * 64),
        unsigned(),
        token()[:-2],
        "a.b.c",
        "opaque-and-no-jwt-at-all",
    ],
)
def test_every_other_token_is_invalid_and_all_answers_are_alike(sent):
    answer = ask(strict(), sent)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert answer.json()["detail"] == "the token is expired, not for this service, or not signed as expected"


def test_clocks_may_differ_by_the_leeway():
    assert ask(strict(leeway=1800), token(exp=NOW - 30)).status_code == 200
    assert ask(strict(leeway=1800), token(exp=NOW - 3600)).status_code == 401


def test_a_token_for_an_audience_is_refused_where_none_is_expected():
    lax = JWTAuth(KEY, algorithms=["HS256"])
    assert ask(lax, token()).status_code == 401
    assert ask(lax, token(aud=None)).status_code == 200


def test_one_of_several_audiences_is_enough():
    assert ask(strict(audience=["bills", "orders"]), token()).status_code == 200


def test_a_key_may_be_chosen_by_the_token_s_header():
    keys = {"old": "o" * 32, "new": "n" * 32}
    chosen = strict(key=lambda header: keys.get(header.get("kid")))
    assert ask(chosen, token(key="o" * 32, headers={"kid": "old"})).status_code == 200
    assert ask(chosen, token(key="o" * 32, headers={"kid": "new"})).status_code == 401
    assert ask(chosen, token(key="o" * 32, headers={"kid": "gone"})).status_code == 401


@pytest.mark.parametrize(
    "algorithms", [[], ["none"], ["None"], ["HS256", "none"], ["HS256", "RS256"], ["ROT13"], "none"]
)
def test_algorithms_must_be_named_and_be_ones_that_sign(algorithms):
    with pytest.raises(AuthConfigError, match="algorithms="):
        JWTAuth(KEY, algorithms=algorithms)


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 31), ("HS384", 47), ("HS512", 63)])
def test_a_short_secret_is_refused_and_not_repeated(algorithm, size):
    secret = "s" * size
    with pytest.raises(AuthConfigError, match="RFC 7518") as caught:
        JWTAuth(secret, algorithms=[algorithm])
    assert secret not in str(caught.value)


def test_openapi_knows_it_as_a_bearer_scheme():
    assert strict().openapi_scheme == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    assert strict().scheme_name == "jwt"


def test_pyjwt_is_asked_for_only_where_it_is_used():
    program = (
        "import sys, torngas.auth; assert 'jwt' not in sys.modules; sys.modules['jwt'] = None\n"
        "try: torngas.auth.JWTAuth('k' * 32, algorithms=['HS256'])\n"
        "except torngas.auth.AuthConfigError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "JWTAuth needs PyJWT: pip install 'torngas[jwt]'"
