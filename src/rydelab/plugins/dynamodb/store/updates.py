"""Update expressions: parsed, checked and executed by moto, with exact arithmetic."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import (
    AttributeDoesNotExist,
    IncorrectDataType,
    IncorrectOperandType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeTooLarge,
    MockValidationException,
    ProvidedKeyDoesNotExist,
)
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.ast_nodes import (
    DDBTypedValue,
    ExpressionAttribute,
    ExpressionAttributeName,
    ExpressionAttributeValue,
    ExpressionSelector,
    UpdateExpressionAddAction,
    UpdateExpressionDeleteAction,
    UpdateExpressionRemoveAction,
    UpdateExpressionSetAction,
)
from moto.dynamodb.parsing.executors import UpdateExpressionExecutor
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    ExecuteOperations,
    ExpressionPathResolver,
    OverlappingPathsValidator,
    UpdateExpressionValidator,
    UpdateHashRangeKeyValidator,
)

from rydelab.plugins.dynamodb.store.conditions import Path
from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid, moto_errors
from rydelab.plugins.dynamodb.store.expressions import Expressions
from rydelab.plugins.dynamodb.store.moto_items import from_moto, to_moto, to_wire
from rydelab.plugins.dynamodb.store.projections import Projection, check_overlaps
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.values import Item, canonical_item

_CACHED_EXPRESSIONS = 1024
_ACTIONS = [
    UpdateExpressionSetAction,
    UpdateExpressionAddAction,
    UpdateExpressionRemoveAction,
    UpdateExpressionDeleteAction,
]
_PREPARED = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)
# Digits that hold the sum of DynamoDB's largest and smallest numbers; the result is checked afterwards.
_SUM_DIGITS = 300
# What moto raises because of the item, not of the expression: in a transaction these are reasons for cancelling.
_ITEM_ERRORS = (
    AttributeDoesNotExist,
    IncorrectDataType,
    IncorrectOperandType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeTooLarge,
    ProvidedKeyDoesNotExist,
)


class UpdateFailedError(Exception):
    """The update cannot be applied to the item as it is; ``error`` says why."""

    def __init__(self, error: DynamoError) -> None:
        super().__init__(str(error))
        self.error = error


class _ExactOperations(ExecuteOperations):  # type: ignore[misc] # moto publishes no types
    """Additions and subtractions in decimal: moto subtracts in binary floating point."""

    @classmethod
    def get_sum(cls, left_operand: DynamoType, right_operand: DynamoType) -> DDBTypedValue:
        return _combined(left_operand, right_operand, 1)

    @classmethod
    def get_subtraction(cls, left_operand: DynamoType, right_operand: DynamoType) -> DDBTypedValue:
        return _combined(left_operand, right_operand, -1)


def _combined(left: DynamoType, right: DynamoType, sign: int) -> DDBTypedValue:
    if not (left.is_number() and right.is_number()):
        raise IncorrectDataType
    return DDBTypedValue(DynamoType({"N": format(Decimal(left.value) + sign * Decimal(right.value), "f")}))


class _Validator(UpdateExpressionValidator):  # type: ignore[misc] # moto publishes no types
    """moto's checks and substitutions on one item, without the checks that were made when the write was prepared."""

    def get_ast_processors(self) -> list[Any]:
        left = [one for one in super().get_ast_processors() if not isinstance(one, _PREPARED)]
        return [_ExactOperations() if type(one) is ExecuteOperations else one for one in left]


@dataclass(frozen=True, slots=True)
class _Parsed:
    tree: Any
    paths: tuple[tuple[str | int, ...], ...]
    names: tuple[str, ...]
    values: tuple[str, ...]


@lru_cache(maxsize=_CACHED_EXPRESSIONS)
def _parse(expression: str) -> _Parsed:
    with moto_errors():
        tree = ActionCountValidator().traverse(UpdateExpressionParser.make(expression))
        for node in tree.find_clauses([ExpressionAttribute]):
            ExpressionPathResolver.raise_exception_if_keyword(node.get_attribute_name())
    return _Parsed(
        tree=tree,
        paths=tuple(_steps(action.children[0]) for action in tree.find_clauses(_ACTIONS)),
        names=tuple(node.get_attribute_name_placeholder() for node in tree.find_clauses([ExpressionAttributeName])),
        values=tuple(node.get_value_name() for node in tree.find_clauses([ExpressionAttributeValue])),
    )


def _steps(path: Any) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    for node in path.children:
        if isinstance(node, ExpressionAttribute):
            steps.append(node.get_attribute_name())
        elif isinstance(node, ExpressionAttributeName):
            steps.append(node.get_attribute_name_placeholder())
        elif isinstance(node, ExpressionSelector):
            steps.append(node.get_index())
    return tuple(steps)


class UpdateExpression:
    """One request's UpdateExpression, ready to be applied."""

    def __init__(self, expression: str, expressions: Expressions) -> None:
        self._parsed = _parse(expression)
        self._names = expressions.names
        expressions.use(self._parsed.names, self._parsed.values, "UpdateExpression")
        self._values = expressions.values
        check_overlaps(self.updated.paths, "UpdateExpression")

    @property
    def updated(self) -> Projection:
        """The document paths that the expression writes."""
        return Projection(
            tuple(
                Path(tuple(self._names.get(str(step), step) if str(step).startswith("#") else step for step in steps))
                for steps in self._parsed.paths
            )
        )

    def apply(self, item: Item, table: OrderedTable) -> Item:
        """Return *item* (for a new item: its key) as the expression leaves it.

        Raises UpdateFailedError if the item does not allow it, DynamoError if the expression is wrong in itself.
        """
        image = to_moto(item, table.key_schema)
        try:
            with moto_errors(), localcontext(prec=_SUM_DIGITS):
                validated = self._validated(image, table)
                UpdateExpressionExecutor(validated, image, self._names).execute()
        except DynamoError as error:
            if isinstance(error.__cause__, _ITEM_ERRORS):
                message = error.message
                if isinstance(error.__cause__, ItemSizeTooLarge):
                    message = "Item size to update has exceeded the maximum allowed size"
                raise UpdateFailedError(invalid(message)) from error
            raise
        try:
            return canonical_item(from_moto(image))
        except DynamoError as error:
            raise UpdateFailedError(error) from error

    def _validated(self, image: Any, table: OrderedTable) -> Any:
        try:
            validated = _Validator(
                self._parsed.tree,
                expression_attribute_names=self._names,
                expression_attribute_values=to_wire(self._values),
                item=image,
                table=table,
            ).validate()
            validated.normalize()
        except JsonRESTError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError, AssertionError) as error:
            # moto's traversal stumbles over what it does not foresee, such as a function of a missing operand.
            raise MockValidationException(
                f"Invalid UpdateExpression: Syntax error; {type(error).__name__}: {error}"
            ) from error
        return validated
