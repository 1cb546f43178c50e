"""Mako templates.

TEMPLATE_CONFIG = {"template_engine": "torngas.template.mako_loader.MakoTemplateLoader"}
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torngas.exception import ConfigError
from torngas.template.base import add_note, compiled_folder, mark_html

try:
    from mako.exceptions import RichTraceback
    from mako.lookup import TemplateLookup
    from markupsafe import Markup
except ImportError as error:
    raise ConfigError("MakoTemplateLoader needs mako: pip install 'torngas[mako]'") from error

__all__ = ["MakoTemplateLoader"]


class MakoTemplateLoader:
    """Loads templates with mako, for Tornado's `render`.

    Args:
        folders: Where to look, in order.
        autoescape: Escape values for HTML (`${value | n}` leaves one alone); on unless switched off.
        collection_size: Compiled templates kept in memory; -1 keeps all.
        filesystem_checks: Look at each use whether the file has changed.
        cache_directory: Where compiled templates are kept between runs, made where missing; None keeps none.
        format_exceptions: Answer mako's own error page instead of raising.
        **options: Any other option of `mako.lookup.TemplateLookup`.

    Attributes:
        lookup: The `mako.lookup.TemplateLookup`.

    Thread-safe, as mako's lookup is.
    """

    def __init__(
        self,
        folders: Iterable[str | Path],
        *,
        autoescape: bool = True,
        collection_size: int = -1,
        filesystem_checks: bool = True,
        cache_directory: str | Path | None = None,
        format_exceptions: bool = False,
        **options: Any,
    ) -> None:
        places = [str(folder) for folder in folders]
        if autoescape:
            options.setdefault("default_filters", ["h"])
        options.setdefault("input_encoding", "utf-8")
        if cache_directory:
            kept = compiled_folder(cache_directory, "mako", places, sorted(options.items()))
            options.setdefault("module_directory", kept)
        self.lookup = TemplateLookup(
            directories=places,
            collection_size=collection_size,
            filesystem_checks=filesystem_checks,
            format_exceptions=format_exceptions,
            **options,
        )

    def load(self, name: str) -> _MakoTemplate:
        """Answers a template.

        Raises:
            mako.exceptions.TopLevelLookupException: it is in none of the folders.
            mako.exceptions.SyntaxException: it is wrong; the error names file and line.
        """
        return _MakoTemplate(self.lookup.get_template(name))

    def reset(self) -> None:
        """Nothing: mako looks by itself whether a file has changed."""


class _MakoTemplate:
    def __init__(self, template: Any) -> None:
        self._template = template

    def generate(self, **namespace: Any) -> bytes:
        try:
            rendered = self._template.render_unicode(**mark_html(namespace, Markup))
        except Exception as error:
            add_note(error, _mako_line(error))
            raise
        return str(rendered).encode()


def _mako_line(error: Exception) -> str:
    for record in reversed(RichTraceback(error, error.__traceback__).records):
        filename, line = record[4], record[5]
        if filename and line:
            return f"in template {filename}:{line}"
    return ""
