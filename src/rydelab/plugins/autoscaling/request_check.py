"""What AWS checks of a request before the service itself sees it: its shape, by the service's own model."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from rydelab.plugins.autoscaling.errors import validation


def check_request(operation: OperationModel, request: Mapping[str, Any]) -> None:
    """Raise ApiError that names each member of *request* that is missing, not of its enumeration, or out of range."""
    problems = list(_problems(operation.input_shape, request, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise validation(f"{count}: {'; '.join(problems)}")


def _problems(shape: Shape | None, value: Any, path: str) -> Iterator[str]:
    match shape:
        case StructureShape():
            yield from _member_problems(shape, value, path)
        case ListShape():
            yield from _range(shape, len(value), value, path, "length")
            for number, item in enumerate(value, 1):
                yield from _problems(shape.member, item, f"{path}.{number}.member")
        case Shape(type_name="map"):
            yield from _range(shape, len(value), value, path, "length")
        case Shape(type_name="string"):
            choices = shape.metadata.get("enum", [])
            if choices and value not in choices:
                constraint = f"Member must satisfy enum value set: [{', '.join(choices)}]"
                yield f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"
            yield from _range(shape, len(value), value, path, "length")
        case Shape(type_name="integer"):
            yield from _range(shape, value, value, path, "value")


def _member_problems(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        member_path = f"{path}.{_camel(name)}".lstrip(".")
        if value.get(name) is not None:
            yield from _problems(member, value[name], member_path)
        elif name in shape.required_members:
            yield f"Value null at '{member_path}' failed to satisfy constraint: Member must not be null"


def _range(shape: Shape, size: int, value: Any, path: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    start = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have {what}"
    if least is not None and size < least:
        yield f"{start} greater than or equal to {least}"
    if most is not None and size > most:
        yield f"{start} less than or equal to {most}"


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]
