"""What typed APIs need besides Tornado, asked for where it is used."""

from __future__ import annotations

from torngas.exception import ConfigError

__all__ = ["check_msgspec"]


def check_msgspec(what: str) -> None:
    """Refuses to go on without msgspec.

    Raises:
        ConfigError: it is not installed; names the extra that brings it.
    """
    try:
        import msgspec  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{what} needs msgspec: pip install 'torngas[api]'") from error
