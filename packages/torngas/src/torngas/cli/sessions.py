"""`torngas sessions`: ends sessions that are over, those of a user, or all."""

from __future__ import annotations

from typing import Any

import click

from torngas.cli._group import Commands
from torngas.cli._output import counted, good, warned
from torngas.cli._project import open_application, settings_option
from torngas_session import SessionManager

__all__ = ["sessions"]

_EPILOG = """\b
Examples:
  torngas sessions clear                  those that expired, as a daily job
  torngas sessions clear --user=ada       log ada out everywhere
  torngas sessions clear --all --yes      log everybody out
"""


@click.group(cls=Commands)
def sessions() -> None:
    """Ends sessions."""


@sessions.command(epilog=_EPILOG)
@settings_option
@click.option("--user", metavar="ID", help="End the sessions of this user, as given to login().")
@click.option("--all", "everything", is_flag=True, help="End all sessions, by emptying the cache that keeps them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(module: str | None, user: str | None, everything: bool, yes: bool) -> None:
    """Removes expired sessions; with --user or --all also living ones."""
    if user is not None and everything:
        raise click.UsageError("sessions clear: got --user and --all; expected one of them")
    with open_application(module) as application:
        manager = application.settings.get("session_manager")
        if not isinstance(manager, SessionManager):
            raise click.ClickException(
                "sessions: got no SessionMiddleware in MIDDLEWARE_CLASSES; expected "
                "'torngas.middleware.session.SessionMiddleware'"
            )
        _refuse_memory(manager.store)
        if everything:
            _clear_all(manager.store, yes)
        elif user is not None:
            _clear_user(manager, user)
        else:
            _clear_expired(manager.store)


def _refuse_memory(store: Any) -> None:
    if not getattr(store, "shared", True):
        raise click.ClickException(
            f"sessions: {type(store).__name__} keeps them in the memory of each server, out of reach; restart the "
            "servers, or choose another SESSION['session_cache_alias']"
        )


def _clear_all(store: Any, yes: bool) -> None:
    name = type(store).__name__
    if not yes:
        click.confirm(f"This empties the {name} of the sessions, and all else that is in it. Go on?", abort=True)
    store.clear()
    click.echo(good(f"ended all sessions in {name}"))


def _clear_user(manager: SessionManager, user: str) -> None:
    # The command line knows text only, and 17 is another user than "17".
    ended = manager.revoke_all(user) + (manager.revoke_all(int(user)) if user.isdecimal() else 0)
    click.echo(good(f"ended {counted(ended, 'session')} of {user}") if ended else warned(f"{user} has no sessions"))


def _clear_expired(store: Any) -> None:
    purge = getattr(store, "purge", None)
    if purge is None:
        click.echo(f"{type(store).__name__} removes expired sessions by itself; nothing to do")
    else:
        click.echo(good(f"removed {counted(purge(), 'expired session')}"))
