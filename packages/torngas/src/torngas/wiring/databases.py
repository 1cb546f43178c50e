"""DATABASE_CONNECTION, DATABASE_ROUTERS, SQLALCHEMY_CONFIGURATION, PING_* -> databases and their middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torngas.exception import ConfigError
from torngas.settings_manager import Settings

if TYPE_CHECKING:
    from torngas.wiring.resources import Resources
    from torngas_dbalchemy import Connector

__all__ = ["build_connector", "build_database_middleware"]


def build_connector(settings: Settings) -> Connector | None:
    """Makes the databases; None where none is configured. Nothing is connected yet.

    Raises:
        ConfigError: the configuration cannot work.
    """
    if not settings.DATABASE_CONNECTION:
        return None
    # Not at the top: SQLAlchemy is large, and an application without databases does not need it.
    from torngas_dbalchemy import Connector, DBAlchemyError

    try:
        return Connector(
            settings.DATABASE_CONNECTION, settings.SQLALCHEMY_CONFIGURATION, routers=settings.DATABASE_ROUTERS
        )
    except DBAlchemyError as error:
        raise ConfigError(str(error)) from error


def build_database_middleware(kind: Any, settings: Settings, resources: Resources) -> Any:
    """Makes the middleware; where there are replicas, a cookie keeps users reading what they wrote.

    Raises:
        ConfigError: no database is configured.
    """
    from torngas_dbalchemy import CookiePins

    connector = resources.connector
    if connector is None:
        raise ConfigError(
            "DATABASE_CONNECTION: got none, and MIDDLEWARE_CLASSES has DBAlchemyMiddleware; expected at least "
            "{'default': {'connections': [{'ROLE': 'master', 'URL': 'sqlite:///app.db'}]}}"
        )
    replicas = any(database.replicas.servers for database in connector.databases.values())
    pins = CookiePins() if replicas else None
    middleware = kind(connector, ping_interval=settings.PING_DB, ping_count=settings.PING_CONN_COUNT, pins=pins)
    resources.closing.append(middleware.close)
    return middleware
