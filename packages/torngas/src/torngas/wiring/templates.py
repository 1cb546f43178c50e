"""TEMPLATE_CONFIG, `template_path` and the apps' own folders -> a loader of templates."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torngas.exception import ConfigError
from torngas.settings_manager import Settings
from torngas.template.base import AppsLoader
from torngas.wiring.dotted import named

__all__ = ["build_template_loader", "template_folders"]

JINJA2 = "torngas.template.jinja2_loader.Jinja2TemplateLoader"
MAKO = "torngas.template.mako_loader.MakoTemplateLoader"
# Options that one engine alone knows; all others go to whichever engine is chosen.
_ONLY = {"cache_size": JINJA2, "collection_size": MAKO, "format_exceptions": MAKO}


def template_folders(settings: Settings) -> list[Path]:
    """The project's `template_path`, then `templates` of every installed app that has one."""
    folders = [Path(settings.TORNADO_CONF.get("template_path") or "templates").absolute()]
    for app in settings.INSTALLED_APPS:
        spec = find_spec(app)
        places = (spec.submodule_search_locations or ()) if spec else ()
        folders += [Path(place, "templates") for place in places if Path(place, "templates").is_dir()]
    return folders


def build_template_loader(settings: Settings) -> Any:
    """Makes the loader that TEMPLATE_CONFIG asks for; Tornado's own where `template_engine` is None.

    Raises:
        ConfigError: the engine does not import, or does not know an option.
    """
    options = dict(settings.TEMPLATE_CONFIG)
    engine = options.pop("template_engine")
    folders = template_folders(settings)
    if engine is None:
        escape = {"autoescape": settings.TORNADO_CONF["autoescape"]} if "autoescape" in settings.TORNADO_CONF else {}
        space = settings.TORNADO_CONF.get("template_whitespace")
        return AppsLoader(folders, **escape, **({"whitespace": space} if space else {}))
    kind = named("TEMPLATE_CONFIG['template_engine']", engine, f"None, {MAKO!r} or {JINJA2!r}")
    known = {name: value for name, value in options.items() if _ONLY.get(name, engine) == engine}
    try:
        return kind(folders, **known)
    except TypeError as error:
        raise ConfigError(f"TEMPLATE_CONFIG: {engine} does not take these options ({error})") from error
