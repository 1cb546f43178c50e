"""`torngas completion`: the script that lets a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]

_EPILOG = """\b
Examples:
  torngas completion bash >> ~/.bashrc
  torngas completion zsh >> ~/.zshrc
  torngas completion fish > ~/.config/fish/completions/torngas.fish
"""


@click.command(epilog=_EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Prints the script that completes commands and options in SHELL."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"completion: click knows no {shell}; upgrade it with pip install -U click")
    click.echo(kind(ctx.find_root().command, {}, "torngas", "_TORNGAS_COMPLETE").source())
