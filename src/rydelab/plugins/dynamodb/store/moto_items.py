"""Items as moto has them, and back. moto keeps binary content as base64 text; here it is bytes."""

from base64 import b64decode, b64encode
from typing import Any, Self

from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.dynamo_type import Item as MotoItem

from rydelab.plugins.dynamodb.store.keys import KeySchema
from rydelab.plugins.dynamodb.store.values import AttributeValue, Item


def to_wire_value(value: AttributeValue) -> AttributeValue:
    """Return a copy of a value as JSON has it: binary content as base64 text."""
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return {"M": {name: to_wire_value(member) for name, member in content.items()}}
        case "L":
            return {"L": [to_wire_value(member) for member in content]}
        case "B":
            return {"B": b64encode(content).decode()}
        case "BS":
            return {"BS": [b64encode(member).decode() for member in content]}
        case "SS" | "NS":
            return {kind: list(content)}
        case _:
            return {kind: content}


def from_wire_value(value: AttributeValue) -> AttributeValue:
    """Return a copy of a value with base64 text decoded; bytes stay what they are."""
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return {"M": {name: from_wire_value(member) for name, member in content.items()}}
        case "L":
            return {"L": [from_wire_value(member) for member in content]}
        case "B":
            return {"B": _decoded(content)}
        case "BS":
            return {"BS": [_decoded(member) for member in content]}
        case "SS" | "NS":
            return {kind: list(content)}
        case _:
            return {kind: content}


def _decoded(content: str | bytes) -> bytes:
    return b64decode(content) if isinstance(content, str) else bytes(content)


def to_wire(item: Item) -> Item:
    """Return a copy of an item as JSON has it."""
    return {name: to_wire_value(value) for name, value in item.items()}


def from_wire(item: Item) -> Item:
    """Return a copy of an item that JSON has brought."""
    return {name: from_wire_value(value) for name, value in item.items()}


class _Image(MotoItem):  # type: ignore[misc] # moto publishes no types
    """A moto Item that lives as long as it is used: moto keeps a list of every instance of its models, forever."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        return object.__new__(cls)


def to_moto(item: Item, schema: KeySchema) -> MotoItem:
    """Return a moto Item that shares nothing with *item*."""
    attributes = to_wire(item)
    sort = None if schema.sort_name is None else DynamoType(attributes[schema.sort_name])
    return _Image(DynamoType(attributes[schema.partition_name]), sort, attributes)


def from_moto_value(value: Any) -> AttributeValue:
    """Return moto's DynamoType as an attribute value."""
    kind, content = value.type, value.value
    if kind == "M":
        return {"M": {name: from_moto_value(member) for name, member in content.items()}}
    if kind == "L":
        return {"L": [from_moto_value(member) for member in content]}
    return from_wire_value({kind: content})


def from_moto(item: MotoItem) -> Item:
    """Return moto's Item as an item."""
    return {name: from_moto_value(value) for name, value in item.attrs.items()}
