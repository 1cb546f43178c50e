"""Alembic, wired to the aliases: one folder of versions per database.

    write_env("migrations/default")
    config = alembic_config(connector, "migrations/default", alias="default")
    alembic.command.revision(config, "users", autogenerate=True)
    alembic.command.upgrade(config, "head")

The generated `env.py` gets the primary's engine and the alias's tables from the config; no address and no password is
written anywhere. Needs `pip install 'torngas-dbalchemy[migrations]'`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table

from ._mapped import METADATA
from .connector import Connector
from .errors import ConfigError, NotConfigured
from .routers import DEFAULT_ALIAS

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["alembic_config", "run_migrations", "write_env"]

_ENV = '''"""Runs the migrations of one database; the commands come with its engine and tables."""

from alembic import context
from torngas_dbalchemy.migrations import run_migrations

run_migrations(context)
'''

_SCRIPT = '''"""${message}

Revision: ${up_revision}
Revises: ${down_revision | comma,n}
Created: ${create_date}
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
'''


def write_env(folder: str | Path) -> list[Path]:
    """Makes a folder of migrations: `env.py`, `script.py.mako` and `versions/`; answers the files that are new.

    What is there already stays as it is, so that your changes to `env.py` survive.
    """
    folder = Path(folder)
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in (("env.py", _ENV), ("script.py.mako", _SCRIPT)):
        path = folder / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def alembic_config(connector: Connector, folder: str | Path, alias: str = DEFAULT_ALIAS, **attributes: Any) -> Config:
    """Makes the `alembic.config.Config` for one alias.

    Args:
        connector: where the alias is configured; migrations run on its primary.
        folder: as made by `write_env`.
        alias: which database. Tables of other aliases are neither compared nor dropped.
        attributes: more for `env.py`, such as `compare_type=False` or `metadata` instead of the models'.

    Raises:
        ConfigError: alembic is not installed, or the alias is not configured.
    """
    try:
        from alembic.config import Config
    except ImportError as error:
        raise ConfigError("migrations need alembic: pip install 'torngas-dbalchemy[migrations]'.") from error
    database = connector.get_conn(alias)
    config = Config()
    # Percent signs are the config parser's own.
    config.set_main_option("script_location", str(Path(folder).resolve()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(attributes, alias=alias, connector=connector, engine=database.primary.engine)
    return config


def run_migrations(context: Any) -> None:
    """The body of `env.py`: runs what the command asks for, on the engine and tables that its config carries.

    Raises:
        NotConfigured: the config was not made by `alembic_config`.
    """
    attributes = dict(context.config.attributes)
    if "connector" not in attributes:
        raise NotConfigured(
            "env.py: got a config without a database; expected one of alembic_config(connector, folder, alias)."
        )
    engine = attributes["engine"]
    options = _options(attributes)
    if context.is_offline_mode():
        context.configure(dialect_name=engine.dialect.name, literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    with engine.connect() as connection:
        context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite", **options)
        with context.begin_transaction():
            context.run_migrations()


def _options(attributes: dict[str, Any]) -> dict[str, Any]:
    connector, alias, engine = (attributes.pop(name) for name in ("connector", "alias", "engine"))
    attributes.setdefault("compare_type", True)
    target = attributes.pop("metadata", None)
    if target is not None:
        return {"target_metadata": target, **attributes}
    mine = set(connector.tables_of(alias))
    others = {table.name for table in METADATA.tables.values() if table not in mine}
    one_server = sum(d.primary.endpoint.url == engine.url for d in connector.databases.values()) > 1
    return {"target_metadata": METADATA, "include_object": _filter(mine, others if one_server else set()), **attributes}


def _filter(mine: set[Table], others: set[str]) -> Callable[..., bool]:
    """Which objects belong to the alias: its tables, and on the server what no other alias claims."""

    def include(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
        table = item if kind == "table" else getattr(item, "table", None)
        if reflected:
            return getattr(table, "name", None) not in others
        return table in mine

    return include
