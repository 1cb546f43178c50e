"""Groups of commands that answer a typo with the nearest command, and an error of the project with its message."""

from __future__ import annotations

import difflib
from typing import Any

import click

from torngas._errors import STARTUP_ERRORS

__all__ = ["Commands"]


class Commands(click.Group):
    """A click group; commands are listed in the order of a day's work, and groups within it are of this class too."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command.

        Raises:
            click.UsageError: there is none of this name; the nearest one is named.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(_unknown(args[0], ctx.command_path, self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; what is wrong with the project is one message and status 1, unless --debug."""
        try:
            return super().invoke(ctx)
        except STARTUP_ERRORS as error:
            if ctx.find_root().params.get("debug"):
                raise
            raise click.ClickException(str(error)) from error


def _unknown(given: str, path: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
    return f"{path}: got the unknown command {given!r}; {hint}"
