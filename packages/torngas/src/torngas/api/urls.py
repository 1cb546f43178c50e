"""The documentation at /openapi.json and /docs: `INSTALLED_APPS = (…, "torngas.api")`."""

from torngas.api.documentation import documentation_routes

__all__ = ["urls"]

urls = documentation_routes()
