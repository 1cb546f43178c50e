"""SQLAlchemy with a primary and replicas, under its documented path."""

from torngas_dbalchemy import (
    BaseQuery,
    ConnBase,
    Connector,
    DBConfigParser,
    MetaBaseModel,
    Model,
    PageNotFound,
    Pagination,
    SQLAlchemy,
    create_session,
    get_connector,
    paginate,
)

__all__ = [
    "BaseQuery",
    "ConnBase",
    "Connector",
    "DBConfigParser",
    "MetaBaseModel",
    "Model",
    "PageNotFound",
    "Pagination",
    "SQLAlchemy",
    "create_session",
    "get_connector",
    "paginate",
]
