"""Templates with their conditions decided: only what is deployed is left."""

from collections.abc import Mapping
from typing import Final

from bootstrap.intrinsics import UNKNOWN, Evaluator
from bootstrap.template import Json

_NO_VALUE: Final = {"Ref": "AWS::NoValue"}


def decided(template: Mapping[str, Json], evaluator: Evaluator) -> dict[str, Json]:
    """Return *template* without what its conditions leave out; it deploys the same stack.

    LocalStack 4.14.0 deploys such a template right, and one with conditions only the first time: in an update, a
    resource whose condition became false stays for ever, and one whose condition became true cannot be referred to by
    another (``visit_node_resources`` and ``_resolve_attribute`` in its ``change_set_model_preproc.py``). What does not
    follow from the parameters is kept as it is.
    """
    result = dict(template)
    if all(evaluator.condition(name) is not UNKNOWN for name in template.get("Conditions", {})):
        result.pop("Conditions", None)  # an undecided one can be made of decided ones, so all stay if one does
    for section in ("Resources", "Outputs"):
        if section in template:
            result[section] = _live(template[section], evaluator)
    if "Globals" in template:
        result["Globals"] = _without_ifs(template["Globals"], evaluator)
    gone = template["Resources"].keys() - result["Resources"].keys()
    for resource in result["Resources"].values():
        if "DependsOn" in resource:
            names = resource["DependsOn"] if isinstance(resource["DependsOn"], list) else [resource["DependsOn"]]
            resource["DependsOn"] = [name for name in names if name not in gone]
    return result


def _live(definitions: Mapping[str, Json], evaluator: Evaluator) -> dict[str, Json]:
    live = {}
    for name, definition in definitions.items():
        holds = evaluator.condition(definition["Condition"]) if "Condition" in definition else True
        if holds is False:
            continue
        decided_or_not = {key: body for key, body in definition.items() if key != "Condition" or holds is UNKNOWN}
        live[name] = _without_ifs(decided_or_not, evaluator)
    return live


def _without_ifs(expression: Json, evaluator: Evaluator) -> Json:
    if isinstance(expression, list):
        return [item for item in (_without_ifs(item, evaluator) for item in expression) if item != _NO_VALUE]
    if not isinstance(expression, dict):
        return expression
    if expression.keys() == {"Fn::If"}:
        branches = evaluator.branches(expression["Fn::If"])
        if len(branches) == 1:
            return _without_ifs(branches[0], evaluator)
        name, *_ = expression["Fn::If"]
        # Here "no value" is an argument like any other.
        return {"Fn::If": [name, *(_without_ifs(branch, evaluator) for branch in branches)]}
    items = {key: _without_ifs(item, evaluator) for key, item in expression.items()}
    return {key: item for key, item in items.items() if item != _NO_VALUE}
