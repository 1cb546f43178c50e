"""The registry and metadata that all models share, and the way from a table to its model."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import MetaData, Table
from sqlalchemy.orm import Mapper, registry

__all__ = ["METADATA", "REGISTRY", "mappers_by_table"]

METADATA = MetaData()
REGISTRY = registry(metadata=METADATA)


def mappers_by_table() -> Iterator[tuple[Table, Mapper[object]]]:
    """Yields each mapped table with a model of it; tables of one model's relations (`secondary`) come after."""
    mappers = list(REGISTRY.mappers)
    for mapper in mappers:
        yield from ((table, mapper) for table in mapper.tables if isinstance(table, Table))
    for mapper in mappers:
        for relation in mapper.relationships:
            if isinstance(relation.secondary, Table):
                yield relation.secondary, mapper
