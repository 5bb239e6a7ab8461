"""CloudFormation templates as files: YAML with its short forms (``!Sub``), or JSON."""

from pathlib import Path
from typing import Any

import yaml

from bootstrap.errors import InputError

type Json = Any  # a value as JSON has them: dict, list, str, int, float, bool, None

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Globals")


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: `!X` is `Fn::X`, and a date such as 2012-10-17 is text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (a table that PyYAML's own class declares in this way)
        first_letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first_letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _construct_function(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Json]:
    value: Json
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if name in {"Ref", "Condition"}:
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        return {"Fn::GetAtt": value.split(".", 1)}
    return {f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _construct_function)


def load(path: Path) -> dict[str, Json]:
    """Read the template at *path*. Raises InputError, with the line, for what is not a template."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    try:
        template = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(f"{path}: {place}{error.problem or error}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
    try:
        _check_shape(template)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    return dict(template)


def _check_shape(template: Json) -> None:
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict) or not template["Resources"]:
        raise ValueError("not a CloudFormation template: it has no Resources")
    for section in _SECTIONS:
        if not isinstance(template.get(section, {}), dict):
            raise ValueError(f"{section} must be a mapping")  # noqa: TRY004 (a wrong file, not a wrong call)
    for section in ("Parameters", "Resources", "Outputs"):
        for name, definition in template.get(section, {}).items():
            if not isinstance(definition, dict):
                raise ValueError(f"{section}: {name} must be a mapping")  # noqa: TRY004 (the same)
    for name, resource in template["Resources"].items():
        if not isinstance(resource.get("Type"), str) or not isinstance(resource.get("Properties", {}), dict):
            raise ValueError(  # noqa: TRY004
                f"resource {name} must have a Type, and Properties that are a mapping"
            )
