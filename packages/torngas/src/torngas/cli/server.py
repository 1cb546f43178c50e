"""`torngas runserver`: what `python runserver.py` does, for development."""

from __future__ import annotations

import click

from torngas.cli._project import settings_name, settings_option
from torngas.webserver import Server

__all__ = ["runserver"]

_EPILOG = """\b
Examples:
  torngas runserver
  torngas runserver --port=9000 --settings=settings.settings_online
  torngas runserver --processes=4 --logging=debug
"""


@click.command(epilog=_EPILOG, context_settings={"ignore_unknown_options": True})
@settings_option
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def runserver(module: str | None, address: str, port: int, options: tuple[str, ...]) -> None:
    """Serves the project; with DEBUG it reloads when code changes.

    OPTIONS are those of a project's runserver.py, such as --processes=N, --unix_socket=PATH, --logging=LEVEL.
    """
    given = [f"--settings={settings_name(module)}", f"--address={address}", f"--port={port}", *options]
    server = Server()
    rest = server.parse_command(["torngas runserver", *given])
    if rest:
        raise click.UsageError(f"got {' '.join(rest)!r}; expected options only, e.g. --port=9000")
    server.load_urls()
    server.load_application()
    server.load_httpserver()
    server.start()
