"""INSTALLED_APPS -> routes."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from torngas.exception import ConfigError
from torngas.settings_manager import Settings

__all__ = ["load_urls"]


def load_urls(settings: Settings) -> list[Any]:
    """Imports `<app>.urls` of every installed app and answers all routes, in the order of INSTALLED_APPS.

    Raises:
        ConfigError: no app is installed, an app stands twice, does not import, or has no `urls` (or `URLS`).
    """
    apps = list(settings.INSTALLED_APPS)
    if not apps:
        raise ConfigError(
            f"INSTALLED_APPS: got no app in {settings.source}; expected import names of apps, e.g. ('blog',); "
            "if the settings module was not meant, choose another with --settings="
        )
    for app in apps:
        if apps.count(app) > 1:
            raise ConfigError(f"INSTALLED_APPS: got {app!r} {apps.count(app)} times; expected each app once")
    return [entry for app in apps for entry in _urls_of(app)]


def _urls_of(app: str) -> list[Any]:
    name = f"{app}.urls"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise _import_error(app, error) from error
        missing = "no module urls" if error.name == name else "not to be imported"
        raise ConfigError(
            f"INSTALLED_APPS: got {app!r}, which has {missing}; expected a package on sys.path that holds urls.py"
            if error.name == name
            else f"INSTALLED_APPS: got {app!r}, which is not on sys.path; start the program from the folder that holds "
            f"{app.partition('.')[0]!r}"
        ) from error
    except ImportError as error:
        raise _import_error(app, error) from error
    for attribute in ("urls", "URLS"):
        if hasattr(module, attribute):
            return list(getattr(module, attribute))
    raise ConfigError(
        f"INSTALLED_APPS: {name} has neither urls nor URLS; expected urls = route(...) in {module.__file__}"
    )


def _import_error(app: str, error: ImportError) -> ConfigError:
    return ConfigError(f"INSTALLED_APPS: importing {app}.urls failed: {error}")
