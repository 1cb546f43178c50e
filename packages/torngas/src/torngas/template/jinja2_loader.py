"""Jinja2 templates.

TEMPLATE_CONFIG = {"template_engine": "torngas.template.jinja2_loader.Jinja2TemplateLoader"}
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torngas.exception import ConfigError
from torngas.template.base import compiled_folder, mark_html

try:
    import jinja2
    from markupsafe import Markup
except ImportError as error:
    raise ConfigError("Jinja2TemplateLoader needs jinja2: pip install 'torngas[jinja2]'") from error

__all__ = ["Jinja2TemplateLoader"]


class Jinja2TemplateLoader:
    """Loads templates with jinja2, for Tornado's `render`.

    Args:
        folders: Where to look, in order.
        autoescape: Escape values for HTML; on unless switched off. A function of the template's name may decide;
            then nothing is kept in `cache_directory`.
        cache_size: Compiled templates kept in memory; -1 keeps all, 0 compiles each time.
        filesystem_checks: Look at each use whether the file has changed.
        cache_directory: Where compiled templates are kept between runs, made where missing; None keeps none.
        **options: Any other option of `jinja2.Environment`.

    Attributes:
        environment: The `jinja2.Environment`, for filters, tests and globals of your own.

    Thread-safe, as jinja2's environment is.
    """

    def __init__(
        self,
        folders: Iterable[str | Path],
        *,
        autoescape: Any = True,
        cache_size: int = 400,
        filesystem_checks: bool = True,
        cache_directory: str | Path | None = None,
        **options: Any,
    ) -> None:
        places = [str(folder) for folder in folders]
        if cache_directory and isinstance(autoescape, bool):  # two functions cannot be told from each other on disk
            kept = compiled_folder(cache_directory, "jinja2", autoescape, places, sorted(options.items()))
            options.setdefault("bytecode_cache", jinja2.FileSystemBytecodeCache(kept))
        options.setdefault("loader", jinja2.FileSystemLoader(places))
        self.environment = jinja2.Environment(
            autoescape=autoescape,  # noqa: S701 - on by default; the setting may switch it off
            cache_size=cache_size,
            auto_reload=filesystem_checks,
            **options,
        )

    def load(self, name: str) -> _Jinja2Template:
        """Answers a template.

        Raises:
            jinja2.TemplateNotFound: it is in none of the folders.
            jinja2.TemplateSyntaxError: it is wrong; the error names file and line.
        """
        return _Jinja2Template(self.environment.get_template(name))

    def reset(self) -> None:
        """Nothing: jinja2 looks by itself whether a file has changed."""


class _Jinja2Template:
    def __init__(self, template: jinja2.Template) -> None:
        self._template = template

    def generate(self, **namespace: Any) -> bytes:
        return self._template.render(mark_html(namespace, Markup)).encode()
