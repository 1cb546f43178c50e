"""Static files."""

from __future__ import annotations

from tornado.web import HTTPError, StaticFileHandler

__all__ = ["StaticHandler"]


class StaticHandler(StaticFileHandler):
    """Tornado's handler of static files, which answers 404 to a path that no file can have."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuses what is outside of the root, as Tornado does, and names that the system does not know."""
        try:
            return super().validate_absolute_path(root, absolute_path)
        except ValueError as error:  # a NUL byte
            raise HTTPError(404, "%s", error) from error
