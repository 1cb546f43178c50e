"""What the package shows of itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import torngas_dbalchemy
from torngas_dbalchemy import DBAlchemyError

DOCUMENTED = [
    "Model", "MetaBaseModel", "Connector", "get_connector", "SQLAlchemy", "Database", "ConnBase", "DBConfigParser",
    "create_session", "BaseQuery", "Pagination", "paginate", "paginate_keyset", "PageNotFound", "DBAlchemyMiddleware",
]  # fmt: skip
MODULES = [
    name
    for _, name, package in pkgutil.iter_modules(torngas_dbalchemy.__path__)
    if not name.startswith("_") and not package
]


def test_all_is_sorted_and_true():
    """`__all__` is what can be imported, in order, and nothing else is public."""
    names = torngas_dbalchemy.__all__
    assert names == sorted(names)
    public = {name for name in vars(torngas_dbalchemy) if not name.startswith("_")}
    public -= {name for name in public if inspect.ismodule(getattr(torngas_dbalchemy, name))}
    assert public == set(names)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_names_are_there(name):
    assert name in torngas_dbalchemy.__all__


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_offers(name):
    module = importlib.import_module(f"torngas_dbalchemy.{name}")
    assert module.__doc__
    assert module.__all__ == sorted(module.__all__)
    assert all(hasattr(module, one) for one in module.__all__)


def test_every_error_is_one_of_the_family():
    """And of a fitting builtin, so that either can be caught."""
    errors = [value for value in vars(torngas_dbalchemy.errors).values() if inspect.isclass(value)]
    ours = [error for error in errors if error.__module__ == "torngas_dbalchemy.errors"]
    assert len(ours) == len(torngas_dbalchemy.errors.__all__)
    for error in ours:
        assert issubclass(error, DBAlchemyError)
        assert error is DBAlchemyError or len(error.__mro__) > len(DBAlchemyError.__mro__) + 1
