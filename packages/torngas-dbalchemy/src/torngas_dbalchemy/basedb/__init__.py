"""SQL without models, as in web.py's `web.db`, on SQLAlchemy's engines and pools.

    db = database("sqlite:///app.db")
    id = db.insert("person", name="ann")
    db.select("person", where="id = $id", vars=locals()).first().name

Values only ever travel as parameters; names of tables and columns, and clauses, are the program's own text.
"""

from .clauses import sqllist, sqlors, sqlquote, sqlwhere
from .db import DB
from .dialects import MySQLDB, PostgresDB, SqliteDB
from .errors import InterpolationError, TransactionError, UnknownDB, UnknownParamstyle, UnknownVariable, UnsafeName
from .interpolation import reparam
from .queries import SQLLiteral, SQLParam, SQLQuery, sqlify
from .registry import database, register_database
from .rows import ResultSet, Storage
from .transactions import Transaction
from .urls import dburl2dict

sqlparam = SQLParam
sqlliteral = SQLLiteral

__all__ = [
    "DB",
    "InterpolationError",
    "MySQLDB",
    "PostgresDB",
    "ResultSet",
    "SQLLiteral",
    "SQLParam",
    "SQLQuery",
    "SqliteDB",
    "Storage",
    "Transaction",
    "TransactionError",
    "UnknownDB",
    "UnknownParamstyle",
    "UnknownVariable",
    "UnsafeName",
    "database",
    "dburl2dict",
    "register_database",
    "reparam",
    "sqlify",
    "sqllist",
    "sqlliteral",
    "sqlors",
    "sqlparam",
    "sqlquote",
    "sqlwhere",
]
