"""DynamoDB's PartiQL: from a statement's text and parameters to what it asks for.

The grammar is that of the developer guide's PartiQL reference. moto's parser (py-partiql-parser) takes no parameters
in INSERT and DELETE, and only equality in UPDATE's WHERE.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from rydelab.plugins.dynamodb.store.conditions import (
    And,
    Between,
    Comparison,
    Condition,
    Function,
    In,
    Literal,
    Not,
    Operand,
    Or,
    Path,
    Size,
)
from rydelab.plugins.dynamodb.store.errors import invalid
from rydelab.plugins.dynamodb.store.statements import (
    Arithmetic,
    Call,
    Delete,
    Exists,
    Expression,
    Insert,
    Select,
    Statement,
    Update,
)
from rydelab.plugins.dynamodb.store.values import AttributeValue, canonical, type_of

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^']|'')*') | (?P<quoted>"(?:[^"]|"")*") | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+) |
    (?P<word>[A-Za-z_$][\w$]*) | (?P<symbol><<|>>|<>|!=|<=|>=|[-+*=<>?(),.:;\[\]{}])
    )""",
    re.VERBOSE,
)
_COMPARATORS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FUNCTIONS = {"begins_with": 2, "contains": 2, "attribute_type": 2}
_UPDATE_FUNCTIONS = ("list_append", "if_not_exists", "set_add", "set_delete")


def parse(text: str, parameters: Sequence[AttributeValue]) -> Statement:
    """Parse one statement; its ``?`` are replaced by *parameters*, in order."""
    parser = _Parser(text, parameters)
    statement = parser.statement()
    parser.finish()
    return statement


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(slots=True)
class _Parser:
    text: str
    parameters: Sequence[AttributeValue]
    tokens: list[_Token] = field(default_factory=list)
    position: int = 0
    used_parameters: int = 0

    def __post_init__(self) -> None:
        at = 0
        stripped = self.text.rstrip()
        while at < len(stripped):
            match = _TOKEN.match(stripped, at)
            if match is None or match.lastgroup is None:
                self._fail(f"unexpected character {stripped[at:].lstrip()[:1]!r}")
            self.tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
            at = match.end()

    def _fail(self, detail: str) -> NoReturn:
        raise invalid(f"Statement wasn't well formed, can't be processed: {detail}")

    # Tokens

    def _peek(self, ahead: int = 0) -> _Token:
        at = self.position + ahead
        return self.tokens[at] if at < len(self.tokens) else _Token("end", "end of statement")

    def _next(self) -> _Token:
        token = self._peek()
        self.position += 1
        return token

    def _is(self, text: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token.kind in ("word", "symbol") and token.text.lower() == text

    def _takes(self, text: str) -> bool:
        if self._is(text):
            self.position += 1
            return True
        return False

    def _expect(self, *texts: str) -> None:
        for text in texts:
            if not self._takes(text):
                self._fail(f"expected {text.upper()}, found {self._peek().text}")

    def _name(self) -> str:
        token = self._next()
        if token.kind == "quoted":
            return token.text[1:-1].replace('""', '"')
        if token.kind != "word":
            self._fail(f"expected a name, found {token.text}")
        return token.text

    def finish(self) -> None:
        """Check that nothing of the statement or its parameters is left."""
        self._takes(";")
        if self._peek().kind != "end":
            self._fail(f"unexpected {self._peek().text}")
        if self.used_parameters != len(self.parameters):
            raise invalid("Number of parameters in request and statement don't match.")

    # Statements

    def statement(self) -> Statement:
        """Parse one whole statement."""
        if self._is("select"):
            return self._select()
        if self._takes("exists"):
            self._expect("(")
            select = self._select()
            self._expect(")")
            return Exists(select)
        if self._takes("insert"):
            self._expect("into")
            table = self._name()
            self._expect("value")
            value = self._value()
            if "M" not in value:
                self._fail("INSERT takes one item")
            return Insert(table, value["M"])
        if self._takes("update"):
            return self._update()
        if self._takes("delete"):
            self._expect("from")
            return Delete(self._name(), self._where(), self._returning())
        return self._fail(f"unexpected {self._peek().text}")

    def _select(self) -> Select:
        self._expect("select")
        paths: list[Path] = []
        if not self._takes("*"):
            paths.append(self._path())
            while self._takes(","):
                paths.append(self._path())
        self._expect("from")
        table = self._name()
        index = self._name() if self._takes(".") else None
        where = self._where()
        order: list[tuple[str, bool]] = []
        if self._takes("order"):
            self._expect("by")
            order.append(self._ordering())
            while self._takes(","):
                order.append(self._ordering())
        return Select(table, index, tuple(paths), where, tuple(order))

    def _ordering(self) -> tuple[str, bool]:
        name = self._name()
        forward = not self._takes("desc")
        if forward:
            self._takes("asc")
        return name, forward

    def _update(self) -> Update:
        table = self._name()
        sets: list[tuple[Path, Expression]] = []
        removes: list[Path] = []
        while True:
            if self._takes("set"):
                sets.append(self._assignment())
                while self._takes(","):
                    sets.append(self._assignment())
            elif self._takes("remove"):
                removes.append(self._path())
                while self._takes(","):
                    removes.append(self._path())
            else:
                break
        if not sets and not removes:
            self._fail(f"expected SET or REMOVE, found {self._peek().text}")
        return Update(table, self._where(), tuple(sets), tuple(removes), self._returning())

    def _assignment(self) -> tuple[Path, Expression]:
        path = self._path()
        self._expect("=")
        return path, self._expression()

    def _returning(self) -> str | None:
        if not self._takes("returning"):
            return None
        extent = self._next().text.lower()
        image = self._next().text.lower()
        self._expect("*")
        extents = {"all": "ALL", "modified": "UPDATED"}
        if extent not in extents or image not in ("old", "new"):
            self._fail(f"unexpected RETURNING {extent} {image}")
        return f"{extents[extent]}_{image.upper()}"

    def _where(self) -> Condition | None:
        return self._condition() if self._takes("where") else None

    # Conditions

    def _condition(self) -> Condition:
        condition = self._conjunction()
        while self._takes("or"):
            condition = Or(condition, self._conjunction())
        return condition

    def _conjunction(self) -> Condition:
        condition = self._negation()
        while self._takes("and"):
            condition = And(condition, self._negation())
        return condition

    def _negation(self) -> Condition:
        if self._takes("not"):
            return Not(self._negation())
        if self._takes("("):
            condition = self._condition()
            self._expect(")")
            return condition
        return self._simple()

    def _simple(self) -> Condition:
        word = self._peek().text.lower()
        if word in _FUNCTIONS and self._is("(", 1):
            self.position += 2
            arguments = [self._operand()]
            while self._takes(","):
                arguments.append(self._operand())
            self._expect(")")
            if len(arguments) != _FUNCTIONS[word]:
                self._fail(f"{word} takes {_FUNCTIONS[word]} arguments")
            return Function(word, tuple(arguments))
        operand = self._operand()
        if self._takes("between"):
            low = self._operand()
            self._expect("and")
            return Between(operand, low, self._operand())
        if self._takes("in"):
            return In(operand, tuple(self._options()))
        if self._takes("is"):
            return self._is_condition(operand)
        token = self._next()
        if token.text not in _COMPARATORS or token.kind != "symbol":
            self._fail(f"expected a comparison, found {token.text}")
        return Comparison(_COMPARATORS[token.text], operand, self._operand())

    def _is_condition(self, operand: Operand) -> Condition:
        negated = self._takes("not")
        if self._takes("missing"):
            return Function("attribute_exists" if negated else "attribute_not_exists", (operand,))
        self._expect("null")
        null = Comparison("=", operand, Literal({"NULL": True}))
        return Not(null) if negated else null

    def _options(self) -> list[Operand]:
        closing = "]" if self._takes("[") else ")"
        if closing == ")":
            self._expect("(")
        options = [self._operand()]
        while self._takes(","):
            options.append(self._operand())
        self._expect(closing)
        return options

    def _operand(self) -> Operand:
        if self._is("size") and self._is("(", 1):
            self.position += 2
            path = self._path()
            self._expect(")")
            return Size(path)
        return Literal(self._value()) if self._is_value() else self._path()

    # Expressions, values and paths

    def _expression(self) -> Expression:
        left = self._term()
        while self._is("+") or self._is("-"):
            operator = self._next().text
            left = Arithmetic(operator, left, self._term())
        return left

    def _term(self) -> Expression:
        word = self._peek().text.lower()
        if word in _UPDATE_FUNCTIONS and self._is("(", 1):
            self.position += 2
            arguments = [self._expression()]
            while self._takes(","):
                arguments.append(self._expression())
            self._expect(")")
            return Call(word, tuple(arguments))
        return Literal(self._value()) if self._is_value() else self._path()

    def _is_value(self) -> bool:
        token = self._peek()
        if token.kind in ("string", "number"):
            return True
        if token.kind == "symbol":
            return token.text in ("?", "-", "+", "[", "{", "<<")
        return token.kind == "word" and token.text.lower() in ("true", "false", "null")

    def _value(self) -> AttributeValue:
        token = self._next()
        word = token.text.lower()
        if token.kind == "string":
            return {"S": token.text[1:-1].replace("''", "'")}
        if token.kind == "number":
            return canonical({"N": token.text})
        if token.kind == "word" and word in ("true", "false", "null"):
            return {"NULL": True} if word == "null" else {"BOOL": word == "true"}
        return self._symbol_value(token)

    def _symbol_value(self, token: _Token) -> AttributeValue:
        symbol = token.text if token.kind == "symbol" else ""
        if symbol == "?":
            return self._parameter()
        if symbol in ("-", "+"):
            number = self._next()
            if number.kind != "number":
                self._fail(f"expected a number, found {number.text}")
            return canonical({"N": symbol.removeprefix("+") + number.text})
        if symbol == "[":
            return {"L": self._values_until("]")}
        if symbol == "<<":
            return self._set(self._values_until(">>"))
        if symbol == "{":
            return {"M": self._members()}
        return self._fail(f"expected a value, found {token.text}")

    def _parameter(self) -> AttributeValue:
        if self.used_parameters >= len(self.parameters):
            raise invalid("Number of parameters in request and statement don't match.")
        self.used_parameters += 1
        return canonical(self.parameters[self.used_parameters - 1])

    def _values_until(self, closing: str) -> list[AttributeValue]:
        values: list[AttributeValue] = []
        if self._takes(closing):
            return values
        values.append(self._value())
        while self._takes(","):
            values.append(self._value())
        self._expect(closing)
        return values

    def _set(self, members: list[AttributeValue]) -> AttributeValue:
        kinds = {type_of(member) for member in members}
        if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
            self._fail("a set has members of one type: string, number or binary")
        (kind,) = kinds
        return canonical({f"{kind}S": [member[kind] for member in members]})

    def _members(self) -> dict[str, AttributeValue]:
        members: dict[str, AttributeValue] = {}
        while not self._takes("}"):
            if members:
                self._expect(",")
            token = self._next()
            if token.kind not in ("string", "quoted"):
                self._fail(f"expected an attribute name in quotes, found {token.text}")
            self._expect(":")
            members[token.text[1:-1].replace(token.text[0] * 2, token.text[0])] = self._value()
        return members

    def _path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while True:
            if self._takes("."):
                parts.append(self._name())
            elif self._is("[") and self._peek(1).kind == "number":
                self.position += 1
                parts.append(self._index())
                self._expect("]")
            else:
                return Path(tuple(parts))

    def _index(self) -> int:
        text = self._next().text
        if not text.isdecimal():
            self._fail(f"expected a list index, found {text}")
        return int(text)
