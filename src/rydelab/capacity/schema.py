"""What the model must know of a table's keys and secondary indexes."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from rydelab.capacity.item_size import AttributeValue, Item


class Projection(StrEnum):
    """Which attributes an index copies."""

    ALL = "ALL"
    KEYS_ONLY = "KEYS_ONLY"
    INCLUDE = "INCLUDE"


class IndexScope(StrEnum):
    """LOCAL shares the base table's capacity and partitions; GLOBAL has its own."""

    GLOBAL = "GLOBAL"
    LOCAL = "LOCAL"


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index: its keys and what it projects. ``included`` is read for INCLUDE only."""

    name: str
    partition_key: str
    sort_key: str | None = None
    projection: Projection = Projection.ALL
    included: frozenset[str] = frozenset()
    scope: IndexScope = IndexScope.GLOBAL

    def contains(self, item: Item) -> bool:
        """Tell whether *item* has every part of the index key: only then is it in the index."""
        return self.partition_key in item and (self.sort_key is None or self.sort_key in item)

    def key_of(self, item: Item) -> tuple[AttributeValue | None, AttributeValue | None]:
        """Return the index key of *item*; comparing two tells whether an index entry stays in its place."""
        return item.get(self.partition_key), item.get(self.sort_key) if self.sort_key is not None else None


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table's name, primary key and secondary indexes."""

    name: str
    partition_key: str
    sort_key: str | None = None
    indexes: tuple[Index, ...] = ()

    def __post_init__(self) -> None:
        names = [index.name for index in self.indexes]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"table {self.name}: index {name} is declared twice")

    @property
    def global_indexes(self) -> tuple[Index, ...]:
        """The indexes with throughput of their own."""
        return tuple(index for index in self.indexes if index.scope is IndexScope.GLOBAL)

    def entry(self, index: Index, item: Item) -> Item:
        """Return the part of *item* that *index* stores: projected attributes, index key and base-table key."""
        if index.projection is Projection.ALL:
            return item
        kept = {self.partition_key, self.sort_key, index.partition_key, index.sort_key}
        if index.projection is Projection.INCLUDE:
            kept |= index.included
        return {name: value for name, value in item.items() if name in kept}

    def with_index(self, index: Index) -> Self:
        """Return this schema with one more index."""
        return replace(self, indexes=(*self.indexes, index))

    def without_index(self, name: str) -> Self:
        """Return this schema without the index *name*."""
        return replace(self, indexes=tuple(index for index in self.indexes if index.name != name))
