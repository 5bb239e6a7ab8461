"""The expressions of one request: parsed by moto's parser, each once, with their names and values checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ConditionAttributeIsReservedKeyword

from rydelab.plugins.dynamodb.store.conditions import (
    And,
    Between,
    Comparison,
    Condition,
    Function,
    In,
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    Size,
    check_betweens,
)
from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid
from rydelab.plugins.dynamodb.store.projections import Projection, check_overlaps, parse_path
from rydelab.plugins.dynamodb.store.values import Item, canonical

_CACHED_EXPRESSIONS = 1024


@dataclass(frozen=True, slots=True)
class ParsedCondition:
    """A condition with the placeholders that it uses."""

    condition: Condition
    names: frozenset[str]
    values: frozenset[str]


class _Parser(ConditionExpressionParser):  # type: ignore[misc] # moto publishes no types
    """moto's parser, building our conditions; values stay placeholders, so that what is parsed can be kept."""

    _PATTERNS = (
        ("WHITESPACE", re.compile(r"\s+")),
        ("COMPARATOR", re.compile(r"<>|<=|>=|=|<|>")),
        ("OPERAND", re.compile(r"[:#]?[\w-]+(?:\s*\.\s*#?[\w-]+|\[\d+\])*")),
        ("COMMA", re.compile(r",")),
        ("LEFT_PAREN", re.compile(r"\(")),
        ("RIGHT_PAREN", re.compile(r"\)")),
    )

    def _lex_one_node(self, remaining_expression: str) -> tuple[Any, str]:
        for nonterminal, pattern in self._PATTERNS:
            match = pattern.match(remaining_expression)
            if match:
                text = match.group()
                if nonterminal == "OPERAND":
                    text = re.sub(r"\s", "", text)
                node = self.Node(nonterminal=nonterminal, kind=self.Kind.LITERAL, text=text, value=text, children=[])
                return node, remaining_expression[match.end() :]
        raise ValueError(f'token: "{remaining_expression[0]}", near: "{remaining_expression[:20]}"')

    def _lookup_expression_attribute_value(self, name: str) -> str:
        return name

    def _lookup_expression_attribute_name(self, name: str) -> str:
        try:
            return str(self.expression_attribute_names[name])
        except KeyError:
            raise _UndefinedNameError(name) from None

    def _make_operand(self, node: Any) -> Operand:
        if node.kind == self.Kind.PATH:
            return Path(tuple(child.value for child in node.children))
        if node.kind == self.Kind.EXPRESSION_ATTRIBUTE_VALUE:
            return Placeholder(node.value)
        if node.kind == self.Kind.FUNCTION:
            path = self._make_operand(node.children[1])
            if isinstance(path, Path):
                return Size(path)
        raise ValueError(f'token: "{node.text}"')

    def _make_op_condition(self, node: Any) -> Condition:  # noqa: PLR0911 - one kind of node after the other
        match node.kind:
            case "OR":
                return Or(*map(self._make_op_condition, node.children))
            case "AND":
                return And(*map(self._make_op_condition, node.children))
            case "NOT":
                return Not(self._make_op_condition(node.children[0]))
            case "PARENTHESES":
                return self._make_op_condition(node.children[0])
            case "FUNCTION":
                return Function(node.children[0].value, tuple(map(self._make_operand, node.children[1:])))
            case "BETWEEN":
                return Between(*map(self._make_operand, node.children))
            case "IN":
                operand, *options = map(self._make_operand, node.children)
                return In(operand, tuple(options))
            case "COMPARISON":
                left, comparator, right = node.children
                return Comparison(comparator.value, self._make_operand(left), self._make_operand(right))
        raise ValueError(f'token: "{node.text}"')


class _UndefinedNameError(Exception):
    pass


@lru_cache(maxsize=_CACHED_EXPRESSIONS)
def parse_condition(expression: str, names: tuple[tuple[str, str], ...], parameter: str) -> ParsedCondition:
    """Parse a condition, filter or key condition.

    *names* are the ExpressionAttributeNames, sorted; *parameter* names the expression in errors.
    """
    parser = _Parser(expression, dict(names), {})
    try:
        condition = parser.parse()
    except ConditionAttributeIsReservedKeyword as error:
        raise invalid(
            f"Invalid {parameter}: Attribute name is a reserved keyword; reserved keyword: {error.keyword}"
        ) from None
    except _UndefinedNameError as error:
        _undefined("name used in the document path", "name", str(error), parameter)
    except (ValueError, LookupError, TypeError) as error:
        raise invalid(f"Invalid {parameter}: Syntax error; {error}") from None
    found = frozenset(parser.expr_attr_names_found), frozenset(parser.expr_attr_values_found)
    return ParsedCondition(condition, *found)


def _undefined(what: str, kind: str, name: str, parameter: str) -> NoReturn:
    raise invalid(f"Invalid {parameter}: An expression attribute {what} is not defined; attribute {kind}: {name}")


class Expressions:
    """The ExpressionAttributeNames and -Values of one request, and which of them its expressions use.

    *parameters* are the names of the operation's expressions that take values, for the message when none is there.
    """

    def __init__(self, request: Mapping[str, Any], *, parameters: tuple[str, ...]) -> None:
        self._request = request
        self.names: dict[str, str] = request.get("ExpressionAttributeNames") or {}
        given: Item = request.get("ExpressionAttributeValues") or {}
        self._sorted_names = tuple(sorted(self.names.items()))
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()
        self._check_presence(parameters)
        self.values = {name: _canonical_value(name, value) for name, value in given.items()}

    def _check_presence(self, parameters: tuple[str, ...]) -> None:
        request = self._request
        present = [name for name in (*parameters, "ProjectionExpression") if request.get(name) is not None]
        if request.get("ExpressionAttributeNames") is not None:
            if not present:
                raise invalid("ExpressionAttributeNames can only be specified when using expressions")
            if not self.names:
                raise invalid("ExpressionAttributeNames must not be empty")
        if request.get("ExpressionAttributeValues") is not None:
            if not any(name in parameters for name in present):
                verb = "is" if len(parameters) == 1 else "are"
                raise invalid(
                    "ExpressionAttributeValues can only be specified when using expressions: "
                    f"{' and '.join(parameters)} {verb} null"
                )
            if not request["ExpressionAttributeValues"]:
                raise invalid("ExpressionAttributeValues must not be empty")
        for name in self.names:
            if not re.match(r"#[\w-]+\Z", name):
                raise invalid(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{name}"')

    def text(self, parameter: str) -> str | None:
        """Return an expression of the request, refused if it is empty."""
        expression: str | None = self._request.get(parameter)
        if expression is not None and not expression.strip():
            raise invalid(f"Invalid {parameter}: The expression can not be empty;")
        return expression

    def condition(self, parameter: str) -> Condition | None:
        """Return the condition in *parameter*, or None if the request has none."""
        expression = self.text(parameter)
        if expression is None:
            return None
        parsed = parse_condition(expression, self._sorted_names, parameter)
        self.use(parsed.names, parsed.values, parameter)
        check_betweens(parsed.condition, self.values, parameter)
        return parsed.condition

    def projection(self) -> Projection | None:
        """Return the ProjectionExpression, or None if the request has none."""
        expression = self.text("ProjectionExpression")
        if expression is None:
            return None
        parameter = "ProjectionExpression"

        def name_of(placeholder: str) -> str:
            self.use({placeholder}, (), parameter)
            return self.names[placeholder]

        paths = tuple(parse_path(text, name_of, parameter) for text in expression.split(","))
        check_overlaps(paths, parameter)
        return Projection(paths)

    def use(self, names: Any, values: Any, parameter: str) -> None:
        """Note the placeholders that an expression uses; one that is not defined is refused."""
        for name in names:
            if name.startswith("#") and name not in self.names:
                _undefined("name used in the document path", "name", name, parameter)
        for value in values:
            if value not in self.values:
                _undefined("value used in expression", "value", value, parameter)
        self.used_names.update(names)
        self.used_values.update(values)

    def check_all_used(self) -> None:
        """Raise a ValidationException for names and values that no expression uses."""
        for kind, given, used in (("Names", self.names, self.used_names), ("Values", self.values, self.used_values)):
            unused = [name for name in given if name not in used]
            if unused:
                raise invalid(
                    f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{', '.join(unused)}}}"
                )


def _canonical_value(name: str, value: Any) -> dict[str, Any]:
    if not re.match(r":[\w-]+\Z", name):
        raise invalid(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{name}"')
    try:
        return canonical(value)
    except DynamoError as error:
        raise DynamoError(
            error.code, f"ExpressionAttributeValues contains invalid value: {error.message} for key {name}"
        ) from None
