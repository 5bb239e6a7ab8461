"""What a secondary index holds, read from its API description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rydelab.plugins.dynamodb.store.keys import KeySchema
from rydelab.plugins.dynamodb.store.values import Item


@dataclass(frozen=True, slots=True)
class Index:
    """One secondary index: its keys, whether it is global, and the attributes it holds (None: all of them)."""

    name: str
    schema: KeySchema
    is_global: bool
    projected: frozenset[str] | None

    @classmethod
    def of(
        cls,
        *,
        name: str,
        key_schema: Sequence[Mapping[str, str]],
        projection: Mapping[str, Any],
        definitions: Sequence[Mapping[str, str]],
        table: KeySchema,
        is_global: bool,
    ) -> "Index":
        """Read an index as CreateTable describes it; *table* is the key schema of its table."""
        schema = KeySchema.of(key_schema, definitions, terminated=True)
        projected: frozenset[str] | None = None
        if projection.get("ProjectionType") in ("KEYS_ONLY", "INCLUDE"):
            projected = frozenset((*schema.names, *table.names, *projection.get("NonKeyAttributes", ())))
        return cls(name=name, schema=schema, is_global=is_global, projected=projected)

    def project(self, item: Item) -> Item:
        """Return what the index's entry shows of *item*."""
        if self.projected is None:
            return item
        return {name: value for name, value in item.items() if name in self.projected}

    def entry(self, item: Item | None) -> Item | None:
        """Return the entry of *item*, or None if it has none: an index is sparse."""
        return self.project(item) if item is not None and self.schema.has_key(item) else None
