"""A project as an ASGI application: the module that an ASGI server is given.

# asgi.py, beside runserver.py:    uvicorn asgi:application
from torngas.asgi import get_asgi_application

application = get_asgi_application("settings.settings")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torngas.asgi.adapter import ASGIAdapter

if TYPE_CHECKING:
    from torngas.application import Application

__all__ = ["adapter_of", "get_asgi_application"]


def get_asgi_application(settings: str | None = None) -> ASGIAdapter:
    """Loads settings, logging, routes and application as `torngas.webserver.run` does, without a command line.

    Args:
        settings: The dotted path of the settings module; None takes the environment variable TORNGAS_APP_SETTINGS.

    Raises:
        SystemExit: something is wrong; one line on stderr says what.
    """
    from torngas.webserver import Server

    server = Server()
    server.parse_command(["asgi"] if settings is None else ["asgi", f"--settings={settings}"])
    server.load_urls()
    return server.load_application().asgi


def adapter_of(application: Application) -> ASGIAdapter:
    """The adapter of an application of ours: trust as its settings say, its clean-ups at the stop."""
    chosen = application.project_settings
    adapter = ASGIAdapter(
        application,
        xheaders=chosen is not None and chosen.XHEADERS,
        trusted_downstream=chosen.TRUSTED_DOWNSTREAM if chosen is not None else (),
    )
    adapter.on_stop(application.aclose)

    @adapter.on_stop
    def not_ready() -> None:
        application.ready = False

    return adapter
