"""The command line: `torngas`, or `python -m torngas`.

    torngas startproject blog
    torngas runserver --port=8000
    torngas routes

Every command answers 0 when all is well, 1 when something is wrong with the project, 2 when it was called wrongly.
The libraries know nothing of it: all that it does can be done by calling them.
"""

from __future__ import annotations

import sys

import click

from torngas import __version__
from torngas.cli._group import Commands
from torngas.cli.caches import cache
from torngas.cli.checks import check
from torngas.cli.completion import completion
from torngas.cli.databases import db
from torngas.cli.diffsettings import diffsettings
from torngas.cli.openapi import openapi
from torngas.cli.routes import routes
from torngas.cli.server import runserver
from torngas.cli.sessions import sessions
from torngas.cli.shell import shell
from torngas.cli.start import startapp, startproject

__all__ = ["cli", "main"]

_EPILOG = """\b
Examples:
  torngas startproject blog      a project that runs at once
  torngas runserver              serve it on http://127.0.0.1:8000/
  torngas routes                 what is served, and by whom
  torngas check --deploy         what is missing before it goes out
  torngas COMMAND --help         more about one of them
"""


@click.group(cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="torngas")
@click.option("--debug", is_flag=True, help="Show the traceback of errors in the project.")
def cli(debug: bool) -> None:
    """Makes, serves and inspects torngas projects.

    Commands read the settings module that --settings names, else the environment variable TORNGAS_APP_SETTINGS, else
    settings/settings.py of the current folder.
    """


for _command in (
    startproject,
    startapp,
    runserver,
    routes,
    openapi,
    check,
    shell,
    diffsettings,
    db,
    sessions,
    cache,
    completion,
):
    cli.add_command(_command)


def main() -> None:
    """Runs the command line of this process, and ends it."""
    sys.exit(cli(prog_name="torngas"))
