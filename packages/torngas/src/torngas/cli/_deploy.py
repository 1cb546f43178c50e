"""What must not go out: secrets, debugging, proxies, cookies, and releases of Tornado with known holes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tornado

from torngas.cli._findings import Finding
from torngas.settings_manager import Settings

__all__ = ["deploy_findings"]

# RFC 4086 §8.2 asks for 128 bits; 32 characters of any usual alphabet carry them.
_SHORTEST_SECRET = 32
_FEWEST_CHARACTERS = 8
_DEVELOPMENT = "development-"
_MAKE_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"  # noqa: S105 - a command that makes one

# Every earlier release has published advisories: https://github.com/tornadoweb/tornado/security/advisories
_SAFE_TORNADO = (6, 6, 1)


def deploy_findings(settings: Settings) -> list[Finding]:
    """Everything about these settings that production must not have; errors first."""
    found = [
        *_debugging(settings),
        *_secrets(settings),
        *_requests(settings),
        *_proxies(settings),
        *_cookies(settings),
        *_tornado(tornado.version_info),
    ]
    return sorted(found, key=lambda finding: not finding.is_error)


def _debugging(settings: Settings) -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding("DEBUG: got True, which shows source and variables to everybody; expected False", is_error=True)
    for name in ("debug", "serve_traceback", "autoreload"):
        if settings.TORNADO_CONF.get(name):
            yield Finding(f"TORNADO_CONF[{name!r}]: got True; expected it left out", is_error=True)


def _secrets(settings: Settings) -> Iterator[Finding]:
    given = settings.TORNADO_CONF.get("cookie_secret")
    yield from _secret("TORNADO_CONF['cookie_secret']", given, needed=True)
    yield from _secret("SESSION['secret_key']", settings.SESSION.get("secret_key"), needed=False)


def _secret(where: str, given: Any, *, needed: bool) -> Iterator[Finding]:
    if isinstance(given, dict):
        for version, key in given.items():
            yield from _secret(f"{where}[{version!r}]", key, needed=True)
    elif not given:
        if needed:
            yield Finding(f"{where}: got none; expected a long random string, made by {_MAKE_SECRET}", is_error=True)
    elif problem := _weakness(given.decode("latin-1") if isinstance(given, bytes) else str(given)):
        yield Finding(f"{where}: got one that {problem}; expected the output of {_MAKE_SECRET}", is_error=True)


def _weakness(secret: str) -> str:
    if secret.startswith(_DEVELOPMENT):
        return "was made for development and stands in a file"
    if len(secret) < _SHORTEST_SECRET:
        return f"has {len(secret)} characters, fewer than {_SHORTEST_SECRET}"
    if len(set(secret)) < _FEWEST_CHARACTERS:
        return f"has fewer than {_FEWEST_CHARACTERS} different characters"
    return ""


def _requests(settings: Settings) -> Iterator[Finding]:
    conf = settings.TORNADO_CONF
    if not conf.get("xsrf_cookies") and not conf.get("cross_origin_protection"):
        yield Finding(
            "TORNADO_CONF: got neither cross_origin_protection nor xsrf_cookies, so that other sites can post in the "
            "name of your users; expected cross_origin_protection: True",
            is_error=True,
        )
    elif not conf.get("cross_origin_protection"):
        yield Finding("TORNADO_CONF['cross_origin_protection']: got none; expected True beside xsrf_cookies")
    if "autoescape" in conf and conf["autoescape"] is None:
        yield Finding("TORNADO_CONF['autoescape']: got None; expected it left out: templates then escape")
    if settings.TEMPLATE_CONFIG.get("autoescape") is False:
        yield Finding("TEMPLATE_CONFIG['autoescape']: got False; expected True")


def _proxies(settings: Settings) -> Iterator[Finding]:
    if settings.XHEADERS and not settings.TRUSTED_DOWNSTREAM:
        yield Finding(
            "XHEADERS: got True with an empty TRUSTED_DOWNSTREAM, so that no proxy is believed and its address "
            "stands for every client's; expected TRUSTED_DOWNSTREAM = ('the address of your proxy',)",
            is_error=True,
        )
    if settings.TRUSTED_DOWNSTREAM and not settings.XHEADERS:
        yield Finding("TRUSTED_DOWNSTREAM: got proxies with XHEADERS = False, which ignores them; expected True")


def _cookies(settings: Settings) -> Iterator[Finding]:
    session = settings.SESSION
    if any(str(one).endswith(".SessionMiddleware") for one in settings.MIDDLEWARE_CLASSES):
        if not session.get("httponly", True):
            yield Finding("SESSION['httponly']: got False, which shows the session to scripts; expected True")
        if session.get("secure") is not True:
            yield Finding("SESSION['secure']: got no True; expected True: the cookie then goes over HTTPS only")
        if session.get("samesite", "Lax") is None:
            yield Finding("SESSION['samesite']: got None; expected 'Lax' or 'Strict'")
    if settings.TORNADO_CONF.get("xsrf_cookies"):
        kwargs = settings.TORNADO_CONF.get("xsrf_cookie_kwargs") or {}
        if not kwargs.get("secure"):
            yield Finding("TORNADO_CONF['xsrf_cookie_kwargs']: got no 'secure'; expected {'secure': True, …}")


def _tornado(version: tuple[int, ...]) -> Iterator[Finding]:
    if tuple(version[:3]) < _SAFE_TORNADO:
        got, safe = (".".join(map(str, numbers[:3])) for numbers in (version, _SAFE_TORNADO))
        yield Finding(f"tornado: got {got}, which has published advisories; expected {safe} or later", is_error=True)
