"""`torngas cache`: the caches of CACHES."""

from __future__ import annotations

import click

from torngas.cli._group import Commands
from torngas.cli._output import good, warned
from torngas.cli._project import chosen_settings, settings_option
from torngas_cache import CacheHandler

__all__ = ["cache"]

_EPILOG = """\b
Examples:
  torngas cache clear                    the cache `default`
  torngas cache clear pages fragments    these two
  torngas cache clear --all              those of all aliases
"""


@click.group(cls=Commands)
def cache() -> None:
    """Empties caches."""


@cache.command(epilog=_EPILOG)
@settings_option
@click.option("--all", "everything", is_flag=True, help="Empty the caches of all aliases.")
@click.argument("aliases", nargs=-1)
def clear(module: str | None, everything: bool, aliases: tuple[str, ...]) -> None:
    """Removes the entries of the caches ALIASES, else of `default`. Other programs' entries in a shared store stay."""
    if everything and aliases:
        raise click.UsageError("cache clear: got --all and aliases; expected one of them")
    handler = CacheHandler(chosen_settings(module).CACHES)
    chosen = list(handler) if everything else list(aliases or ["default"])
    for alias in chosen:
        if alias not in handler:
            raise click.ClickException(f"CACHES: got the alias {alias!r}; expected one of {', '.join(handler)}")
    try:
        for alias in chosen:
            one = handler[alias]
            one.clear()
            if getattr(one, "shared", True):
                click.echo(f"{good('emptied')} {alias} ({type(one).__name__})")
            else:
                click.echo(warned(f"{alias} ({type(one).__name__}) lives in the memory of each server; restart them"))
    finally:
        handler.close_all()
