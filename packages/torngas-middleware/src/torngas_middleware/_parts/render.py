"""Before a template is rendered: process_render."""

from __future__ import annotations

import os
import sys
from typing import Any

import tornado.web

from .._waiting import refuse_awaitable
from .base import Part

__all__ = ["RenderPart"]

_PASSED = (tornado.web.__file__, __file__)


class RenderPart(Part):
    """Overrides `render_string`, which `render` calls too."""

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        exchange = self._exchange()
        for hook in self._middleware_chains.render:
            if exchange.cleared:
                break
            result = hook(self, exchange, template_name, **kwargs)
            refuse_awaitable(hook, result)
            if result:
                break
        return super().render_string(template_name, **kwargs)

    def get_template_path(self) -> str | None:
        """The handler's, else the folder of the code that renders: Tornado's rule, which must not find this file."""
        return super().get_template_path() or _calling_folder()


def _calling_folder() -> str | None:
    frame = sys._getframe(2)
    if frame.f_code.co_filename != tornado.web.__file__:
        return None
    while frame.f_code.co_filename in _PASSED and frame.f_back is not None:
        frame = frame.f_back
    return os.path.dirname(frame.f_code.co_filename)
