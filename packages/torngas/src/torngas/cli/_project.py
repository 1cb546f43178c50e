"""The project in the current folder: its settings, and its application with caches, databases and models."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from torngas.application import Application
from torngas.settings_manager import SETTINGS_MODULE_ENVIRON, Settings, load_settings, settings
from torngas.webserver import Server
from torngas.wiring.check import check_settings

__all__ = ["chosen_settings", "model_modules", "open_application", "settings_name", "settings_option"]

F = TypeVar("F", bound=Callable[..., Any])
_USUAL = {"settings/settings.py": "settings.settings", "settings.py": "settings"}


def settings_option(command: F) -> F:
    """Gives a command the option --settings."""
    return click.option(
        "--settings",
        "module",
        metavar="MODULE",
        help=f"Dotted path of the settings module; else ${SETTINGS_MODULE_ENVIRON}, else settings.settings.",
    )(command)


def settings_name(given: str | None) -> str:
    """Answers the settings module's dotted path: the given one, the environment's, or the usual place.

    The current folder gets onto sys.path, as for a program that is started there.

    Raises:
        click.ClickException: nothing says which.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    named = given or os.environ.get(SETTINGS_MODULE_ENVIRON)
    if named:
        return named
    for file, module in _USUAL.items():
        if Path(file).is_file():
            return module
    raise click.ClickException(
        f"settings: got none; expected --settings=MODULE, the environment variable {SETTINGS_MODULE_ENVIRON}, or the "
        "file settings/settings.py here; `torngas startproject NAME` makes a project"
    )


def chosen_settings(given: str | None) -> Settings:
    """Loads the settings and makes them the process's.

    Raises:
        ConfigError: they do not import.
    """
    return settings.configure(load_settings(settings_name(given)))


@contextmanager
def open_application(given: str | None) -> Iterator[Application]:
    """The project's application, as it would be served; its caches and models are the process's inside the block.

    Raises:
        ConfigError: a setting or an app is wrong.
        UrlError: a route is wrong.
    """
    chosen = chosen_settings(given)
    check_settings(chosen)
    server = Server(settings=chosen)
    server.load_urls()
    application = server.load_application()
    try:
        yield application
    finally:
        asyncio.run(application.aclose())


def model_modules(chosen: Settings) -> list[ModuleType]:
    """Imports `<app>.models` of every installed app that has one."""
    names = [f"{app}.models" for app in chosen.INSTALLED_APPS]
    return [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]
