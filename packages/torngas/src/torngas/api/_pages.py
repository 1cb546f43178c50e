"""The handlers of the documentation's addresses."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

from torngas.api.documentation import Documentation
from torngas.exception import Http404
from torngas.handler import WebHandler

__all__ = ["AssetHandler", "DocumentHandler", "PageHandler"]

_ASSETS = {("docs", "css"): "text/css; charset=UTF-8", ("docs", "js"): "text/javascript; charset=UTF-8"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connect}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")


class _Page(WebHandler):
    @property
    def documentation(self) -> Documentation:
        found: Documentation = self._url_kwargs["documentation"]
        return found

    def set_default_headers(self) -> None:
        """Nothing is guessed, nothing leaks to other sites."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")


class DocumentHandler(_Page):
    """The OpenAPI document; Tornado adds the ETag, and answers 304 to who has it."""

    def get(self) -> None:
        """Answers it as JSON."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-cache")
        self.write(self.documentation.text(self.application))


class PageHandler(_Page):
    """The page: a frame that docs.js fills from the document."""

    def get(self) -> None:
        """Answers it; sets the XSRF cookie if the application asks for the token, so that the forms can send it."""
        if self.settings.get("xsrf_cookies"):
            _ = self.xsrf_token
        shared = self.documentation
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Content-Security-Policy", _POLICY.format(connect=" ".join(self._origins())))
        self.write(
            Template(_asset("docs.html")).substitute(
                assets=html.escape(shared.assets_link), document=html.escape(shared.document_link)
            )
        )

    def _origins(self) -> list[str]:
        """Where the forms may send: this site, and the servers that the document names."""
        named = [urlsplit(one["url"]) for one in self.documentation.document(self.application).get("servers", ())]
        origins = [f"{one.scheme}://{one.netloc}" for one in named if one.netloc]
        return ["'self'", *dict.fromkeys(one for one in origins if _ORIGIN.fullmatch(one))]


class AssetHandler(_Page):
    """The page's script and style sheet."""

    def get(self, name: str, kind: str) -> None:
        """Answers one of the two; 404 for any other name."""
        media = _ASSETS.get((name, kind))
        if media is None:
            raise Http404
        self.set_header("Content-Type", media)
        self.set_header("Cache-Control", "no-cache")
        self.write(_asset(f"{name}.{kind}"))


def _asset(name: str) -> str:
    return (files("torngas.api") / "assets" / name).read_text(encoding="utf-8")
