"""What CloudFormation would make of a service's template, given its parameters."""

import functools
import json
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from tests.unit.services.deployed import SERVICES_DIR

_BASIC_EXECUTION = {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


class _ManagedPolicies:
    """The only policy of AWS's own that the templates may need. With another one the transformation fails."""

    def load(self) -> dict[str, str]:
        return _BASIC_EXECUTION


def template(service: str) -> dict[str, Any]:
    """Return the template as it is written."""
    document: dict[str, Any] = yaml_parse((SERVICES_DIR / service / "template.yaml").read_text())
    return document


def deployed(service: str, **parameters: str) -> dict[str, Any]:
    """Return the template after SAM and after its conditions: only what lives with these *parameters*."""
    result: dict[str, Any] = json.loads(_deployed(service, tuple(sorted(parameters.items()))))
    return result


def resources(service: str, kind: str, **parameters: str) -> dict[str, Any]:
    """Return the properties of the living resources of the type *kind*, by logical id."""
    living = deployed(service, **parameters)["Resources"]
    return {name: resource.get("Properties", {}) for name, resource in living.items() if resource["Type"] == kind}


@functools.cache
def _deployed(service: str, parameters: tuple[tuple[str, str], ...]) -> str:
    written = template(service)
    # SAM wants the addresses of the uploaded files; bootstrap puts them there.
    written["Globals"]["Function"]["CodeUri"] = "s3://bucket/bundle.zip"
    for resource in written["Resources"].values():
        if "DefinitionUri" in resource.get("Properties", {}):
            resource["Properties"]["DefinitionUri"] = "s3://bucket/definition.json"
    values = {name: str(of["Default"]) for name, of in written["Parameters"].items()} | dict(parameters)
    plain = transform(written, values, _ManagedPolicies())
    conditions = plain.get("Conditions", {})
    living = {
        section: {
            name: _without_branches(entry, conditions, values)
            for name, entry in plain[section].items()
            if "Condition" not in entry or _holds({"Condition": entry["Condition"]}, conditions, values)
        }
        for section in ("Resources", "Outputs")
    }
    return json.dumps(living)


def _holds(expression: Any, conditions: Any, values: dict[str, str]) -> bool:
    [(function, argument)] = expression.items()
    match function:
        case "Condition":
            return _holds(conditions[argument], conditions, values)
        case "Fn::Equals":
            left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in argument)
            return bool(left == right)
        case "Fn::Not":
            return not _holds(argument[0], conditions, values)
        case "Fn::Or":
            return any(_holds(each, conditions, values) for each in argument)
    raise AssertionError(f"unexpected function in a condition: {function}")


_NO_VALUE = {"Ref": "AWS::NoValue"}


def _without_branches(node: Any, conditions: Any, values: dict[str, str]) -> Any:
    """Return *node* with each Fn::If replaced by its living branch, and without what has no value."""
    if isinstance(node, dict) and set(node) == {"Fn::If"}:
        condition, then, otherwise = node["Fn::If"]
        branch = then if _holds({"Condition": condition}, conditions, values) else otherwise
        return _without_branches(branch, conditions, values)
    if isinstance(node, dict):
        plain = {name: _without_branches(child, conditions, values) for name, child in node.items()}
        return {name: child for name, child in plain.items() if child != _NO_VALUE}
    if isinstance(node, list):
        return [child for child in (_without_branches(each, conditions, values) for each in node) if child != _NO_VALUE]
    return node
