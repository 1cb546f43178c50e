"""`torngas diffsettings`: what the project sets, beside the defaults; secrets are masked."""

from __future__ import annotations

import pprint
from typing import Any

import click

from torngas.cli._project import chosen_settings, settings_option
from torngas.settings_manager import DEFAULTS
from torngas_logger.masking import NAMES, MaskingFilter

__all__ = ["diffsettings"]

_EPILOG = """\b
Examples:
  torngas diffsettings
  torngas diffsettings --all | grep -i cache
  TORNGAS_DEBUG=false torngas diffsettings       the environment counts
"""
_MASKED = (*NAMES, "auth", "credential", "credentials", "key", "keys", "pass", "private_key", "secrets", "tokens")
_WIDTH = 100


@click.command(epilog=_EPILOG)
@settings_option
@click.option("--all", "everything", is_flag=True, help="Show what was left at its default too.")
def diffsettings(module: str | None, everything: bool) -> None:
    """Shows the settings that differ from the defaults; `# default` follows those of --all that do not.

    A line that begins with + is a key that the framework does not know.
    """
    chosen = chosen_settings(module)
    masking = MaskingFilter(names=_MASKED)
    for name in sorted(chosen):
        own = name in chosen.own and (name not in DEFAULTS or chosen[name] != DEFAULTS[name])
        if own or everything:
            shown = pprint.pformat(_plain(masking.mask_value(name, chosen[name])), width=_WIDTH)
            mark = "" if name in DEFAULTS else "+ "
            click.echo(f"{mark}{name} = {shown}{'' if own else '  # default'}")


def _plain(value: Any) -> Any:
    """Without the classes that make settings readable by attribute."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
