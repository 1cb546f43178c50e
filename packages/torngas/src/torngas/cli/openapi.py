"""`torngas openapi`: the OpenAPI document of the project, on standard output."""

from __future__ import annotations

import json

import click

from torngas.api.openapi import document_of
from torngas.cli._project import open_application, settings_option

__all__ = ["openapi"]

_EPILOG = """\b
Examples:
  torngas openapi > openapi.json
  torngas openapi --compact | gzip > openapi.json.gz
  torngas openapi --check                status 1 if no method is typed: in continuous integration
"""


@click.command(epilog=_EPILOG)
@settings_option
@click.option("--compact", is_flag=True, help="Print it on one line.")
@click.option("--check", is_flag=True, help="Print nothing; answer status 1 if there is nothing to describe.")
def openapi(module: str | None, compact: bool, check: bool) -> None:
    """Prints the OpenAPI 3.1 document of the project's typed methods.

    It is the one that the project serves: the setting OPENAPI names title, version and servers.
    """
    with open_application(module) as application:
        document = document_of(application)
    if check:
        _check(len(document["paths"]))
        return
    click.echo(json.dumps(document, separators=(",", ":")) if compact else json.dumps(document, indent=2))


def _check(paths: int) -> None:
    if not paths:
        raise click.ClickException(
            "openapi: got no typed methods; expected some that are marked by torngas.api.endpoint"
        )
    click.echo(f"openapi: {paths} path{'' if paths == 1 else 's'}", err=True)
