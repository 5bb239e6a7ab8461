"""CloudFormation's functions, as far as they can be computed before a deployment: from parameters alone."""

import re
from collections.abc import Mapping
from typing import Final

from bootstrap.errors import InputError
from bootstrap.parameters import as_text
from bootstrap.template import Json


class _Unknown:
    """A value that exists only after deployment, such as a resource's name."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()

UNKNOWN_TEXT: Final = "\0"
"""Stands for the unknown part of a text that is otherwise known."""

_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")


class Evaluator:
    """Computes values and conditions of one template.

    Raises InputError, naming the place, for a function that is written wrongly.
    """

    def __init__(self, *, template: Mapping[str, Json], references: Mapping[str, str]) -> None:
        """Take *references*: the values of parameters and pseudo parameters, by name."""
        self._template = template
        self._references = references
        self._conditions: dict[str, bool | _Unknown | None] = {}

    def condition(self, name: str) -> bool | _Unknown:
        """Return whether condition *name* of the template holds, if that follows from the parameters."""
        if name not in self._conditions:
            definitions = self._template.get("Conditions", {})
            if name not in definitions:
                raise InputError(f"condition {name!r} is used but not defined")
            self._conditions[name] = None
            self._conditions[name] = self._holds(definitions[name], f"condition {name}")
        holds = self._conditions[name]
        if holds is None:
            raise InputError(f"condition {name!r} is defined by itself")
        return holds

    def branches(self, arguments: Json) -> list[Json]:
        """Return the branch that ``Fn::If`` takes; both, if that does not follow from the parameters."""
        name, if_true, if_false = _arguments("Fn::If", arguments, 3)
        holds = self.condition(name)
        if isinstance(holds, _Unknown):
            return [if_true, if_false]
        return [if_true if holds else if_false]

    def value(self, expression: Json) -> Json:
        """Return what *expression* amounts to: a text, list or mapping, or UNKNOWN."""
        if isinstance(expression, list):
            return [self.value(item) for item in expression]
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1:
            [(function, arguments)] = expression.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, arguments)
        return {key: self.value(item) for key, item in expression.items()}

    def _call(self, function: str, arguments: Json) -> Json:  # noqa: PLR0911 (one line per function)
        match function:
            case "Ref":
                return self._references.get(arguments, UNKNOWN)
            case "Fn::If":
                branches = self.branches(arguments)
                return self.value(branches[0]) if len(branches) == 1 else UNKNOWN
            case "Fn::Sub":
                return self._sub(arguments)
            case "Fn::Join":
                separator, items = _arguments(function, self.value(arguments), 2)
                return separator.join(map(_text, items)) if isinstance(items, list) else UNKNOWN
            case "Fn::Split":
                separator, text = _arguments(function, self.value(arguments), 2)
                return text.split(separator) if isinstance(text, str) else UNKNOWN
            case "Fn::Select":
                index, items = _arguments(function, self.value(arguments), 2)
                if not isinstance(items, list) or index is UNKNOWN:
                    return UNKNOWN
                if not str(index).isdecimal() or int(index) >= len(items):
                    raise InputError(f"Fn::Select: no item {index} in a list of {len(items)}")
                return items[int(index)]
            case "Fn::FindInMap":
                return self._find_in_map(self.value(arguments))
        return UNKNOWN

    def _sub(self, arguments: Json) -> str:
        template, variables = arguments, {}
        if isinstance(arguments, list):
            template, variables = _arguments("Fn::Sub", arguments, 2)
        if not isinstance(template, str) or not isinstance(variables, dict):
            raise InputError(f"Fn::Sub takes a text, or a text and a mapping, not {arguments!r}")

        def replacement(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            name = name.strip()
            return _text(self.value(variables[name]) if name in variables else self._references.get(name, UNKNOWN))

        return _VARIABLE.sub(replacement, template)

    def _find_in_map(self, arguments: Json) -> Json:
        path = _arguments("Fn::FindInMap", arguments, 3)
        found = self._template.get("Mappings", {})
        for key in path:
            if key is UNKNOWN:
                return UNKNOWN
            if not isinstance(found, dict) or key not in found:
                raise InputError(f"Fn::FindInMap: nothing at {' / '.join(map(str, path))}")
            found = found[key]
        return found

    def _holds(self, expression: Json, where: str) -> bool | _Unknown:
        if not isinstance(expression, dict) or len(expression) != 1:
            raise InputError(f"{where}: {expression!r} is not a condition")
        [(function, arguments)] = expression.items()
        match function:
            case "Condition":
                return self.condition(arguments)
            case "Fn::Not":
                [negated] = _arguments(function, arguments, 1)
                holds = self._holds(negated, where)
                return holds if isinstance(holds, _Unknown) else not holds
            case "Fn::And" | "Fn::Or" if isinstance(arguments, list):
                # One False decides an "and", one True an "or", whatever the others are.
                decisive = bool(function == "Fn::Or")
                parts = [self._holds(item, where) for item in arguments]
                if decisive in parts:
                    return decisive
                return UNKNOWN if UNKNOWN in parts else not decisive
            case "Fn::Equals":
                left, right = _arguments(function, self.value(arguments), 2)
                if UNKNOWN_TEXT in _text(left) + _text(right):
                    return UNKNOWN
                return bool(_text(left) == _text(right))
        raise InputError(f"{where}: {expression!r} is not a condition")


def _text(value: Json) -> str:
    return UNKNOWN_TEXT if value is UNKNOWN else as_text(value)


def _arguments(function: str, arguments: Json, count: int) -> list[Json]:
    if not isinstance(arguments, list) or len(arguments) != count:
        raise InputError(f"{function} takes {count} arguments, not {arguments!r}")
    return arguments
