"""`torngas runserver`: what `python runserver.py` does, for development."""

from __future__ import annotations

import os
import sys

import click

from torngas.cli._asgi import SERVERS, Listening, command_line
from torngas.cli._project import chosen_settings, settings_name, settings_option
from torngas.settings_manager import SETTINGS_MODULE_ENVIRON
from torngas.webserver import Server
from torngas.wiring.check import check_settings

__all__ = ["runserver"]

_EPILOG = """\b
Examples:
  torngas runserver
  torngas runserver --port=9000 --settings=settings.settings_online
  torngas runserver --processes=4 --logging=debug
  torngas runserver --server uvicorn --processes=4
"""


@click.command(epilog=_EPILOG, context_settings={"ignore_unknown_options": True})
@settings_option
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option(
    "--server",
    type=click.Choice(["tornado", *SERVERS]),
    default="tornado",
    show_default=True,
    help="Tornado's own server, or an ASGI server, which must be installed.",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def runserver(module: str | None, address: str, port: int, server: str, options: tuple[str, ...]) -> None:
    """Serves the project; with DEBUG it reloads when code changes.

    OPTIONS are those of a project's runserver.py, such as --processes=N, --unix_socket=PATH, --logging=LEVEL. An ASGI
    server takes of them --processes, --unix_socket, --certfile and --keyfile.
    """
    if server == "tornado":
        _serve(module, address, port, options)
    else:
        _become(server, module, Listening.of(server, address, port, options))


def _serve(module: str | None, address: str, port: int, options: tuple[str, ...]) -> None:
    given = [f"--settings={settings_name(module)}", f"--address={address}", f"--port={port}", *options]
    server = Server()
    rest = server.parse_command(["torngas runserver", *given])
    if rest:
        raise click.UsageError(f"got {' '.join(rest)!r}; expected options only, e.g. --port=9000")
    server.load_urls()
    server.load_application()
    server.load_httpserver()
    server.start()


def _become(name: str, module: str | None, listening: Listening) -> None:
    """Turns this process into an ASGI server, which gets signals and answers with its own exit status."""
    chosen = chosen_settings(module)
    check_settings(chosen)
    command = command_line(name, listening, chosen)
    os.environ[SETTINGS_MODULE_ENVIRON] = settings_name(module)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - no shell, and each word is made here
