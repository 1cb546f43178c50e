"""The addresses that serve the document and its page: what `torngas.api` in INSTALLED_APPS brings.

    from torngas import route
    from torngas.api import documentation_routes

    urls = route(*documentation_routes(openapi="/v1/openapi.json", docs="/v1/docs"))

Everything that the page needs comes from this package; its Content-Security-Policy lets nothing else run.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from tornado.web import Application

from torngas.api._needs import check_msgspec
from torngas.api.openapi import OpenAPI, document_of
from torngas_router import Url

__all__ = ["Documentation", "documentation_routes"]

_HANDLERS = "torngas.api._pages"


class Documentation:
    """What one set of documentation routes shares: each application's document, made at the first request.

    One object serves several applications of a process; it keeps none of them alive.

    Args:
        build: Makes the document of an application.
        openapi: The path of the document.
        docs: The path of the page.
    """

    def __init__(self, build: Callable[[Application], OpenAPI], openapi: str, docs: str) -> None:
        self._build = build
        self._made: WeakKeyDictionary[Application, tuple[OpenAPI, bytes]] = WeakKeyDictionary()
        self.document_link = posixpath.relpath(openapi, posixpath.dirname(docs))
        self.assets_link = posixpath.basename(docs)

    def document(self, application: Application) -> OpenAPI:
        """The document."""
        return self._of(application)[0]

    def text(self, application: Application) -> bytes:
        """The document as JSON."""
        return self._of(application)[1]

    def _of(self, application: Application) -> tuple[OpenAPI, bytes]:
        found = self._made.get(application)
        if found is None:
            check_msgspec("torngas.api.documentation_routes")
            import msgspec

            document = self._build(application)
            found = self._made[application] = (document, msgspec.json.encode(document))
        return found


def documentation_routes(
    *, openapi: str = "/openapi.json", docs: str = "/docs", build: Callable[[Application], OpenAPI] = document_of
) -> list[Any]:
    """The routes of the OpenAPI document and of its page, for `route(...)` or `include(...)`.

    Args:
        openapi: The path of the document, from the root or from the include.
        docs: The path of the page; its assets stand below it.
        build: Makes the document of the application; the default reads the setting OPENAPI.
    """
    url = Url(_HANDLERS, documentation=Documentation(build, openapi, docs))
    return [
        url.path(openapi, "DocumentHandler", name="torngas-openapi"),
        url.path(docs, "PageHandler", name="torngas-docs"),
        url.path(f"{docs}/<slug:name>.<slug:kind>", "AssetHandler", name="torngas-docs-asset"),
    ]
