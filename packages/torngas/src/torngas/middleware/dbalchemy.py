"""The middleware that gives every request its database sessions."""

from torngas_dbalchemy import DBAlchemyMiddleware

__all__ = ["DBAlchemyMiddleware"]
