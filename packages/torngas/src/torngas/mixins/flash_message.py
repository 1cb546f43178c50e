"""Flash messages, under their documented path."""

from torngas_session import FlashMessageMixIn

__all__ = ["FlashMessageMixIn"]
