"""Projections: the parts of an item that a ProjectionExpression, AttributesToGet or ReturnValues asks for."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from rydelab.plugins.dynamodb.store.conditions import Path
from rydelab.plugins.dynamodb.store.errors import invalid
from rydelab.plugins.dynamodb.store.values import AttributeValue, Item

_STEP = re.compile(r"(?:^|\.)\s*(?P<name>#?[\w-]+)\s*|\[\s*(?P<index>\d+)\s*\]\s*")

type _Tree = dict[str | int, "_Tree"]


@dataclass(frozen=True, slots=True)
class Projection:
    """Document paths to keep of an item."""

    paths: tuple[Path, ...]

    @property
    def attributes(self) -> set[str]:
        """The top-level attributes that the paths start at."""
        return {str(path.parts[0]) for path in self.paths}

    def apply(self, item: Item) -> Item:
        """Return what *item* has at the paths; list elements close up, in their order."""
        if all(len(path.parts) == 1 for path in self.paths):
            wanted = (str(path.parts[0]) for path in self.paths)
            return {name: item[name] for name in wanted if name in item}
        tree: _Tree = {}
        for path in self.paths:
            branch = tree
            for part in path.parts:
                branch = branch.setdefault(part, {})
        picked = _pick({"M": item}, tree)
        return picked["M"] if picked else {}


def _pick(value: AttributeValue, tree: _Tree) -> AttributeValue | None:
    if not tree:
        return value
    if "M" in value:
        members: dict[str, Any] = {}
        for name, branch in tree.items():
            if isinstance(name, str) and name in value["M"]:
                member = _pick(value["M"][name], branch)
                if member is not None:
                    members[name] = member
        return {"M": members} if members else None
    if "L" in value:
        elements = [
            _pick(value["L"][index], tree[index])
            for index in sorted(part for part in tree if isinstance(part, int))
            if index < len(value["L"])
        ]
        kept = [element for element in elements if element is not None]
        return {"L": kept} if kept else None
    return None


def parse_path(text: str, name_of: Callable[[str], str], parameter: str) -> Path:
    """Parse one document path; *name_of* gives the attribute name behind a ``#placeholder``."""
    parts: list[str | int] = []
    position = 0
    text = text.strip()
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None or (not parts and step["name"] is None):
            raise invalid(f'Invalid {parameter}: Syntax error; token: "{text[position]}", near: "{text[position:]}"')
        parts.append(int(step["index"]) if step["name"] is None else _attribute(step["name"], name_of, parameter))
        position = step.end()
    if not parts:
        raise invalid(f'Invalid {parameter}: Syntax error; token: "<EOF>", near: ","')
    return Path(tuple(parts))


def _attribute(name: str, name_of: Callable[[str], str], parameter: str) -> str:
    if name.startswith("#"):
        return name_of(name)
    if name.upper() in ReservedKeywords.get_reserved_keywords():
        raise invalid(f"Invalid {parameter}: Attribute name is a reserved keyword; reserved keyword: {name}")
    if name[0].isdecimal():
        raise invalid(f'Invalid {parameter}: Syntax error; token: "{name[0]}", near: "{name}"')
    return name


def check_overlaps(paths: Iterable[Path], parameter: str) -> None:
    """Raise a ValidationException if one path is another, or leads to it."""
    seen: list[Path] = []
    for path in paths:
        for other in seen:
            shared = min(len(path.parts), len(other.parts))
            if path.parts[:shared] == other.parts[:shared]:
                raise invalid(
                    f"Invalid {parameter}: Two document paths overlap with each other; must remove or rewrite one of "
                    f"these paths; path one: {other}, path two: {path}"
                )
        seen.append(path)
