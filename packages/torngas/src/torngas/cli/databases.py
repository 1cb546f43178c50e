"""`torngas db`: migrations by alembic, a folder of versions for each database: migrations/<alias>."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from torngas.cli._group import Commands
from torngas.cli._output import good
from torngas.cli._project import model_modules, open_application, settings_option
from torngas.settings_manager import settings

__all__ = ["db"]

F = TypeVar("F", bound=Callable[..., Any])
_EPILOG = """\b
Examples:
  torngas db init                         once
  torngas db migrate -m "add posts"       writes what the models have and the database has not
  torngas db upgrade                      brings the database to the newest version
  torngas db downgrade                    one version back
  torngas db current --alias=archive      of another database
"""


@click.group(cls=Commands, epilog=_EPILOG)
def db() -> None:
    """Brings databases to the state of the models (alembic)."""


def _database_options(command: F) -> F:
    command = click.option("--alias", default="default", show_default=True, help="Which of DATABASE_CONNECTION.")(
        command
    )
    command = click.option(
        "--folder", type=click.Path(path_type=Path), help="Of the migrations; else migrations/ALIAS."
    )(command)
    return settings_option(command)


@db.command()
@_database_options
def init(module: str | None, folder: Path | None, alias: str) -> None:
    """Makes the folder of migrations; what is there stays."""
    from torngas_dbalchemy.migrations import write_env

    with _config(module, folder, alias, needs_folder=False) as config:
        place = Path(config.get_main_option("script_location"))
        written = write_env(place)
        for path in written:
            click.echo(f"{good('made')} {_short(path)}")
        if not written:
            click.echo(f"{_short(place)} is complete already")


@db.command()
@_database_options
@click.option("-m", "--message", required=True, help="What the migration does; part of its file's name.")
@click.option("--empty", is_flag=True, help="Compare nothing: a migration to fill in.")
def migrate(module: str | None, folder: Path | None, alias: str, message: str, empty: bool) -> None:
    """Writes a migration from the difference of models and database; read it before you run it."""
    from alembic import command

    with _config(module, folder, alias) as config:
        written = command.revision(
            config, message, autogenerate=not empty, process_revision_directives=None if empty else _drop_empty
        )
        scripts = [one for one in (written if isinstance(written, list) else [written]) if one is not None]
        for script in scripts:
            click.echo(f"{good('made')} {_short(Path(script.path))}")
        if not scripts:
            click.echo("no difference between models and database; nothing written")


@db.command()
@_database_options
@click.argument("revision", default="head")
def upgrade(module: str | None, folder: Path | None, alias: str, revision: str) -> None:
    """Runs the migrations up to REVISION, else all."""
    from alembic import command

    with _config(module, folder, alias) as config, _progress(config, "upgrading"):
        command.upgrade(config, revision)


@db.command(context_settings={"ignore_unknown_options": True})
@_database_options
@click.argument("revision", default="-1")
def downgrade(module: str | None, folder: Path | None, alias: str, revision: str) -> None:
    """Takes migrations back down to REVISION (`base` is all of them), else one."""
    from alembic import command

    with _config(module, folder, alias) as config, _progress(config, "downgrading"):
        command.downgrade(config, revision)


@db.command()
@_database_options
def current(module: str | None, folder: Path | None, alias: str) -> None:
    """Shows the version of the database."""
    from alembic import command

    with _config(module, folder, alias) as config:
        command.current(config)


@contextmanager
def _config(module: str | None, folder: Path | None, alias: str, *, needs_folder: bool = True) -> Iterator[Any]:
    """Alembic's configuration for one database of the project; its errors become messages."""
    with open_application(module) as application:
        connector = application.resources.connector if application.resources is not None else None
        if connector is None:
            raise click.ClickException(
                "DATABASE_CONNECTION: got none; expected at least "
                "{'default': {'connections': [{'ROLE': 'master', 'URL': 'sqlite:///app.db'}]}}"
            )
        from torngas_dbalchemy import DBAlchemyError
        from torngas_dbalchemy.migrations import alembic_config

        model_modules(settings.current)
        place = folder or Path("migrations", alias)
        if needs_folder and not (place / "env.py").is_file():
            raise click.ClickException(f"db: got no {place}/env.py; expected a folder made by `torngas db init`")
        try:
            config = alembic_config(connector, place, alias)
        except DBAlchemyError as error:
            raise click.ClickException(str(error)) from error
        config.stdout = sys.stdout  # alembic's own is the one at its import
        with _errors_of_alembic():
            yield config


@contextmanager
def _errors_of_alembic() -> Iterator[None]:
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (CommandError, SQLAlchemyError) as error:
        raise click.ClickException(f"db: {error}") from error


@contextmanager
def _progress(config: Any, label: str) -> Iterator[None]:
    """Names each migration as it is done; on a terminal a bar grows meanwhile."""
    from alembic.script import ScriptDirectory

    known = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    done: list[str] = []
    with click.progressbar(length=known, label=label, show_eta=False) as bar:

        def applied(*, step: Any, **_: Any) -> None:
            bar.update(1)
            done.append(f"{step.up_revision_id} {step.up_revision.doc}")

        config.attributes["on_version_apply"] = applied
        yield
    for line in done:
        click.echo(f"{good(label)} {line}")
    if not done:
        click.echo(f"{label}: nothing to do")


def _drop_empty(context: Any, revision: Any, directives: list[Any]) -> None:
    """Writes no file for a comparison that found nothing."""
    if directives and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
