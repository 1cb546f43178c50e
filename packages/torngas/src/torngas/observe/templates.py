"""A loader of templates whose rendering is told to a watch."""

from __future__ import annotations

from typing import Any

from torngas.observe.watch import Watch

__all__ = ["ObservedLoader"]


class ObservedLoader:
    """Stands before another loader, and is taken for it by `isinstance`.

    Args:
        loader: Any loader with `load(name)`.
        watch: Who is told.
    """

    def __init__(self, loader: Any, watch: Watch) -> None:
        self._loader = loader
        self._watch = watch

    @property  # type: ignore[misc]  # isinstance() asks it
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def load(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """The template, whose `generate` tells the watch."""
        return _ObservedTemplate(self._loader.load(name, *args, **kwargs), name, self._watch)


class _ObservedTemplate:
    def __init__(self, template: Any, name: str, watch: Watch) -> None:
        self._template = template
        self._name = name
        self._watch = watch

    @property  # type: ignore[misc]  # isinstance() asks it
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self._template)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._template, name)

    def generate(self, **namespace: Any) -> Any:
        work, error = self._watch.begin("template", "render", self._name), None
        try:
            return self._template.generate(**namespace)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self._watch.end(work, error)
