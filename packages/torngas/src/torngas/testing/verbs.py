"""A method of the client for each of HTTP's: `get`, `post`, … and, for the running loop, `aget`, `apost`, …"""

from __future__ import annotations

from typing import Any

from torngas.testing.response import Response

__all__ = ["Verbs"]


class Verbs:
    """What stands on `request` and `arequest`; the options are theirs."""

    def request(self, method: str, path: str, **options: Any) -> Response:
        """Sends a request."""
        raise NotImplementedError

    async def arequest(self, method: str, path: str, **options: Any) -> Response:
        """Sends a request, in the running loop."""
        raise NotImplementedError

    def get(self, path: str, **options: Any) -> Response:
        """Sends GET."""
        return self.request("GET", path, **options)

    async def aget(self, path: str, **options: Any) -> Response:
        """Sends GET, in the running loop."""
        return await self.arequest("GET", path, **options)

    def head(self, path: str, **options: Any) -> Response:
        """Sends HEAD."""
        return self.request("HEAD", path, **options)

    async def ahead(self, path: str, **options: Any) -> Response:
        """Sends HEAD, in the running loop."""
        return await self.arequest("HEAD", path, **options)

    def options(self, path: str, **options: Any) -> Response:
        """Sends OPTIONS."""
        return self.request("OPTIONS", path, **options)

    async def aoptions(self, path: str, **options: Any) -> Response:
        """Sends OPTIONS, in the running loop."""
        return await self.arequest("OPTIONS", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """Sends POST."""
        return self.request("POST", path, **options)

    async def apost(self, path: str, **options: Any) -> Response:
        """Sends POST, in the running loop."""
        return await self.arequest("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        """Sends PUT."""
        return self.request("PUT", path, **options)

    async def aput(self, path: str, **options: Any) -> Response:
        """Sends PUT, in the running loop."""
        return await self.arequest("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        """Sends PATCH."""
        return self.request("PATCH", path, **options)

    async def apatch(self, path: str, **options: Any) -> Response:
        """Sends PATCH, in the running loop."""
        return await self.arequest("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        """Sends DELETE."""
        return self.request("DELETE", path, **options)

    async def adelete(self, path: str, **options: Any) -> Response:
        """Sends DELETE, in the running loop."""
        return await self.arequest("DELETE", path, **options)
