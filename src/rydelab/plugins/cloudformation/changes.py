"""What differs between a resource as it is deployed and as its template wants it. Pure."""

from collections.abc import Collection, Mapping
from typing import Any, Final

_ROOT: Final = "/properties/"

type Properties = Mapping[str, Any]


class NotUpdatableError(Exception):
    """The resource cannot be made what the template says. Raised before anything was changed."""


def changed_properties(previous: Properties, desired: Properties, *, computed: Collection[str] = ()) -> set[str]:
    """Return the names of the properties that differ.

    *computed* are those that the deployed resource has whether or not the template names them: its ARN, a made-up name.
    """
    names = desired.keys() | (previous.keys() - set(computed))
    return {name for name in names if as_text(previous.get(name)) != as_text(desired.get(name))}


def refuse_changes(resource_type: str, changed: Collection[str], *, updatable: Collection[str]) -> None:
    """Raise NotUpdatableError if a property has *changed* that is not one of *updatable*."""
    if others := sorted(set(changed) - set(updatable)):
        raise NotUpdatableError(f"the lab cannot change {', '.join(others)} of a resource of type {resource_type}")


def as_text(value: Any) -> Any:
    """Return *value* with each number and truth value as CloudFormation writes it: templates may give either."""
    if isinstance(value, Mapping):
        return {key: as_text(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(member) for member in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) or value is None else str(value)


def differs(previous: Properties, desired: Properties, pointer: str) -> bool:
    """Whether the property at *pointer* (``/properties/Name/Member``, of the resource type's schema) has another value.

    Not below a list (``*``): LocalStack's engine does not look there either.
    """
    path = pointer.removeprefix(_ROOT).split("/")
    return "*" not in path and as_text(_at(previous, path)) != as_text(_at(desired, path))


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
