"""What PartiQL statements say, as values."""

from dataclasses import dataclass

from rydelab.plugins.dynamodb.store.conditions import Condition, Literal, Path
from rydelab.plugins.dynamodb.store.values import Item


@dataclass(frozen=True, slots=True)
class Call:
    """A function of UPDATE's SET: ``list_append``, ``if_not_exists``, ``set_add`` or ``set_delete``."""

    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left + right`` or ``left - right``."""

    operator: str
    left: "Expression"
    right: "Expression"


type Expression = Path | Literal | Call | Arithmetic


@dataclass(frozen=True, slots=True)
class Select:
    """``SELECT paths FROM table.index WHERE condition ORDER BY name``; no paths is ``*``."""

    table: str
    index: str | None
    paths: tuple[Path, ...]
    where: Condition | None
    order_by: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Insert:
    """``INSERT INTO table VALUE item``."""

    table: str
    item: Item


@dataclass(frozen=True, slots=True)
class Update:
    """``UPDATE table SET path = expression REMOVE path WHERE condition RETURNING what``."""

    table: str
    where: Condition | None
    sets: tuple[tuple[Path, Expression], ...]
    removes: tuple[Path, ...]
    returning: str | None


@dataclass(frozen=True, slots=True)
class Delete:
    """``DELETE FROM table WHERE condition RETURNING what``."""

    table: str
    where: Condition | None
    returning: str | None


@dataclass(frozen=True, slots=True)
class Exists:
    """``EXISTS(SELECT * FROM table WHERE condition)``, a condition of a transaction."""

    select: Select


type Statement = Select | Insert | Update | Delete | Exists
