"""SQLAlchemy 2 with a primary and replicas, and the light basedb."""

from .config import DatabaseConfig, DBConfigParser, Endpoint
from .connector import Connector, configure, get_connector
from .consistency import Consistency, Pin
from .database import ConnBase, Database, SQLAlchemy
from .engines import EngineLimits
from .errors import (
    ConfigError,
    CursorError,
    DatabaseUnavailable,
    DBAlchemyError,
    NotConfigured,
    PageNotFound,
    UnknownAttribute,
)
from .middleware import CookiePins, DBAlchemyMiddleware, SessionPins
from .model import MetaBaseModel, Model
from .pagination import AsyncPagination, Pagination, QueryPagination, SelectPagination, apaginate, paginate
from .query import BaseQuery
from .routers import ConnectionRouter
from .scope import Scope
from .session import RoutingAsyncSession, RoutingSession, create_session

__all__ = [
    "AsyncPagination",
    "BaseQuery",
    "ConfigError",
    "ConnBase",
    "ConnectionRouter",
    "Connector",
    "Consistency",
    "CookiePins",
    "CursorError",
    "DBAlchemyError",
    "DBAlchemyMiddleware",
    "DBConfigParser",
    "Database",
    "DatabaseConfig",
    "DatabaseUnavailable",
    "Endpoint",
    "EngineLimits",
    "MetaBaseModel",
    "Model",
    "NotConfigured",
    "PageNotFound",
    "Pagination",
    "Pin",
    "QueryPagination",
    "RoutingAsyncSession",
    "RoutingSession",
    "SQLAlchemy",
    "Scope",
    "SelectPagination",
    "SessionPins",
    "UnknownAttribute",
    "apaginate",
    "configure",
    "create_session",
    "get_connector",
    "paginate",
]
