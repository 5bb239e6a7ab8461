"""What ties stacks together: what a template provides to others, and what it needs of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bootstrap.errors import InputError
from bootstrap.intrinsics import UNKNOWN_TEXT, Evaluator
from bootstrap.parameters import is_in_parameter_store
from bootstrap.template import Json

_DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:ssm(?:-secure)?:([^:{}]+)(?::[0-9]+)?\}\}")


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """A name under which one stack publishes a value and others read it."""

    kind: Literal["export", "SSM parameter"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Links:
    """What one template, with its conditions decided, provides and needs."""

    provides: frozenset[Link]
    needs: Mapping[Link, str]
    """Each need, and where the template has it, such as ``resource RequestRide``."""


def links_of(template: Mapping[str, Json], *, evaluator: Evaluator, parameters: Mapping[str, str]) -> Links:
    """Find the links of *template*: only what can be deployed, as *evaluator* has it, counts.

    Raises InputError for a need whose name does not follow from the parameters.
    """
    provides: set[Link] = set()
    needs: dict[Link, str] = {}

    for name, declaration in template.get("Parameters", {}).items():
        if is_in_parameter_store(declaration):
            needs.setdefault(Link("SSM parameter", parameters[name]), f"parameter {name}")
    for link in _needs(template.get("Globals", {}), evaluator, "Globals"):
        needs.setdefault(link, "Globals")
    for section, kind in (("Resources", "resource"), ("Outputs", "output")):
        for name, definition in template.get(section, {}).items():
            if "Condition" in definition and evaluator.condition(definition["Condition"]) is False:
                continue
            where = f"{kind} {name}"
            body = {key: value for key, value in definition.items() if key != "Condition"}
            for link in _needs(body, evaluator, where):
                needs.setdefault(link, where)
            if (provided := _provided(definition, evaluator)) is not None:
                provides.add(provided)
    return Links(frozenset(provides), needs)


def _provided(definition: Mapping[str, Json], evaluator: Evaluator) -> Link | None:
    link = None
    if definition.get("Type") == "AWS::SSM::Parameter":
        link = Link("SSM parameter", evaluator.value(definition.get("Properties", {}).get("Name")))
    elif isinstance(definition.get("Export"), dict):
        link = Link("export", evaluator.value(definition["Export"].get("Name")))
    # A name that only the deployment makes up is one that no other template can ask for.
    return link if link and isinstance(link.name, str) and UNKNOWN_TEXT not in link.name else None


def _needs(expression: Json, evaluator: Evaluator, where: str) -> Iterator[Link]:
    if isinstance(expression, str):
        yield from _needs_of_text(expression, where)
    elif isinstance(expression, list):
        for item in expression:
            yield from _needs(item, evaluator, where)
    elif isinstance(expression, dict):
        function = next(iter(expression)) if len(expression) == 1 else ""
        arguments = expression.get(function)
        match function:
            case "Fn::If":
                yield from _needs(evaluator.branches(arguments), evaluator, where)
            case "Fn::ImportValue":
                yield _import(evaluator.value(arguments), where)
            case "Fn::Sub" | "Fn::Join":
                # The name in a reference can be put together from parts, so the finished text is looked at; of the
                # parts, only functions can bring needs of their own.
                yield from _needs(evaluator.value(expression), evaluator, where)
                for part in _functions_in(arguments):
                    yield from _needs(part, evaluator, where)
            case _:
                for item in expression.values():
                    yield from _needs(item, evaluator, where)


def _import(name: Json, where: str) -> Link:
    if not isinstance(name, str) or UNKNOWN_TEXT in name:
        raise InputError(f"{where}: the name of an Fn::ImportValue does not follow from the parameters")
    return Link("export", name)


def _functions_in(arguments: Json) -> Iterator[dict[str, Json]]:
    items = [arguments]
    while items:
        item = items.pop()
        if isinstance(item, list):
            items.extend(item)
        elif isinstance(item, dict):
            if len(item) == 1 and next(iter(item)).startswith("Fn::"):
                yield item
            else:
                items.extend(item.values())


def _needs_of_text(text: str, where: str) -> Iterator[Link]:
    for name in _DYNAMIC_REFERENCE.findall(text):
        if UNKNOWN_TEXT in name:
            raise InputError(f"{where}: the name in {text!r} does not follow from the parameters")
        yield Link("SSM parameter", name)
