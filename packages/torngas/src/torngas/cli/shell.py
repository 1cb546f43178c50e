"""`torngas shell`: Python with the project loaded."""

from __future__ import annotations

import code
import importlib.util
import inspect
import sys
from types import ModuleType
from typing import Any

import click

from torngas.application import Application
from torngas.cli._project import model_modules, open_application, settings_option
from torngas.settings_manager import settings
from torngas_cache import cache, caches

__all__ = ["namespace_of", "shell"]

_EPILOG = """\b
Examples:
  torngas shell
  torngas shell -c "print(settings.INSTALLED_APPS)"
  torngas shell < clean_up.py
"""


@click.command(epilog=_EPILOG)
@settings_option
@click.option("-c", "--command", metavar="CODE", help="Run this and end.")
@click.option("--plain", is_flag=True, help="Python's own shell, also where IPython is there.")
def shell(module: str | None, command: str | None, plain: bool) -> None:
    """Opens Python with the application, settings, caches and models at hand; in IPython if it is there."""
    with open_application(module) as application:
        names = namespace_of(application)
        if command is None and not sys.stdin.isatty():
            command = sys.stdin.read()
        if command is not None:
            exec(compile(command, "<torngas shell>", "exec"), names)  # noqa: S102 - that is what it is asked for
            return
        _interact(names, plain)


def namespace_of(application: Application) -> dict[str, Any]:
    """What the shell knows by name: the models of the installed apps, and what the framework offers."""
    found: dict[str, Any] = {}
    for module in model_modules(settings.current):
        found |= _models(module)
    connector = application.resources.connector if application.resources is not None else None
    framework = {"application": application, "cache": cache, "caches": caches, "settings": settings}
    return found | framework | ({"connector": connector} if connector is not None else {})


def _models(module: ModuleType) -> dict[str, Any]:
    """The public classes and tables of a module of models that were made there."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.isclass(value) and value.__module__ == module.__name__
    }


def _interact(names: dict[str, Any], plain: bool) -> None:
    banner = f"Python {sys.version.split()[0]}; at hand: {', '.join(sorted(names))}"
    if not plain and importlib.util.find_spec("IPython"):
        from IPython import start_ipython  # type: ignore[import-not-found,unused-ignore]  # optional

        click.echo(banner)
        start_ipython(argv=["--no-banner"], user_ns=names)
        return
    _complete(names)
    code.interact(banner, local=names, exitmsg="")


def _complete(names: dict[str, Any]) -> None:
    try:
        import readline
    except ImportError:  # Windows
        return
    import rlcompleter

    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
