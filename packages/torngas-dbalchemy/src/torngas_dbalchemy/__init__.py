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
from .keyset import KeysetPage, apaginate_keyset, paginate_keyset
from .middleware import CookiePins, DBAlchemyMiddleware, SessionPins
from .model import MetaBaseModel, Model
from .pages import AsyncPagination, QueryPagination, SelectPagination, apaginate, paginate
from .pagination import Pagination
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
    "KeysetPage",
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
    "apaginate_keyset",
    "configure",
    "create_session",
    "get_connector",
    "paginate",
    "paginate_keyset",
]
