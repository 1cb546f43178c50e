"""What the loaders of all engines share, and the mixin that renders with them.

A loader has `load(name)`, which answers an object with `generate(**namespace) -> bytes`, and `reset()`: Tornado's
own interface, so that a loader also works as the setting `template_loader` of a plain Tornado application.
"""

from __future__ import annotations

import hashlib
import linecache
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tornado.template import Loader, Template

from torngas_signal.lifecycle import template_rendered

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

__all__ = ["AppsLoader", "EngineLoader", "EngineTemplate", "TemplateMixin", "add_note", "compiled_folder", "mark_html"]


class EngineTemplate(Protocol):
    """A loaded template."""

    def generate(self, **namespace: Any) -> bytes:
        """Renders it."""
        ...


class EngineLoader(Protocol):
    """A loader of templates."""

    def load(self, name: str) -> EngineTemplate:
        """Answers the template of this name."""
        ...

    def reset(self) -> None:
        """Forgets what was compiled."""
        ...


class AppsLoader(Loader):
    """Tornado's own loader over several folders: the first that has the template gives it.

    Args:
        folders: Where to look, in order.
        **kwargs: As `tornado.template.Loader` takes them.
    """

    def __init__(self, folders: Iterable[str | Path], **kwargs: Any) -> None:
        self._folders = [os.path.abspath(folder) for folder in folders]
        super().__init__(self._folders[0] if self._folders else ".", **kwargs)

    def _create_template(self, name: str) -> Template:
        for folder in self._folders:
            path = Path(folder, name)
            if path.is_file():
                return Template(path.read_bytes(), name=name, loader=self)
        raise FileNotFoundError(f"template {name!r} is in none of {', '.join(self._folders)}")


class TemplateMixin(_Base):
    """Renders with the application's own loader (its setting `template_loader`), where there is one.

    Tornado keeps loaders per folder for the whole process; two applications with different engines over one folder
    would share one.
    """

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Renders a template with Tornado's names, those of `get_template_namespace` and `kwargs`."""
        loader = self.settings.get("template_loader")
        if loader is None:
            return super().render_string(template_name, **kwargs)
        if not self.settings.get("compiled_template_cache", True):
            loader.reset()
        namespace = self.get_template_namespace()
        namespace.update(kwargs)
        template = loader.load(template_name)
        try:
            rendered: bytes = template.generate(**namespace)
        except Exception as error:
            if isinstance(template, Template):
                add_note(error, _tornado_line(error))
            raise
        if template_rendered.receivers:
            context = {"template": template, "template_name": template_name, "context": namespace}
            template_rendered.send(self.__class__, handler=self, **context)
        return rendered


def add_note(error: BaseException, line: str) -> None:
    """Says in a traceback which line of a template failed; once."""
    if line and line not in getattr(error, "__notes__", ()):
        error.add_note(line)


def _tornado_line(error: BaseException) -> str:
    """Finds the template's line: Tornado writes it as a comment behind each line that it generates."""
    found, traceback = "", error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name.endswith(".generated.py"):
            code = linecache.getline(name, traceback.tb_lineno, traceback.tb_frame.f_globals)
            found = code.rpartition("#")[2].strip() or found
        traceback = traceback.tb_next
    return f"in template {found}" if found else ""


def compiled_folder(directory: str | Path, *compiled_by: Any) -> str:
    """Makes the folder, below the cache directory, of templates that were compiled in one way from one place.

    Engines look at a source's time or text only: without it the templates of another project that shares the directory,
    or those compiled before escaping was switched on, would be taken for the wanted ones.
    """
    way = re.sub(r" at 0x[0-9a-f]+", "", repr(compiled_by))  # an object's address is another one in each process
    folder = Path(directory, hashlib.sha256(way.encode()).hexdigest()[:16])
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def mark_html(namespace: dict[str, Any], safe: Any) -> dict[str, Any]:
    """Marks the functions that answer HTML, in place, so that autoescape leaves their results alone."""
    if "xsrf_form_html" in namespace:
        namespace["xsrf_form_html"] = _marking(namespace["xsrf_form_html"], safe)
    if "modules" in namespace:
        namespace["modules"] = _SafeModules(namespace["modules"], safe)
    return namespace


def _marking(function: Any, safe: Any) -> Any:
    return lambda *args, **kwargs: safe(_text(function(*args, **kwargs)))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _SafeModules:
    """The `modules` namespace, whose results are HTML."""

    def __init__(self, modules: Any, safe: Any) -> None:
        self._modules = modules
        self._safe = safe

    def __getattr__(self, name: str) -> Any:
        return _marking(getattr(self._modules, name), self._safe)
