"""References to other stacks, replaced by the values that they stand for."""

import re
from collections.abc import Mapping

from bootstrap.intrinsics import Evaluator
from bootstrap.links import Link
from bootstrap.template import Json

# In an Fn::Sub the name can hold variables. A reference to one version (NAME:3) always means the same value, and one to
# a secure parameter must not be written out: both stay.
_REFERENCE = re.compile(r"\{\{resolve:ssm:((?:[^:{}$]|\$\{[^{}]*\})+)\}\}")


def written_out(template: Mapping[str, Json], *, evaluator: Evaluator, values: Mapping[Link, str]) -> dict[str, Json]:
    """Return *template* with *values* in place of the imports and the references to the SSM parameter store.

    CloudFormation compares templates. When another stack was made anew, it sees the same reference as before, and
    leaves the resource with the old value: rides would go to a topic that is no more. The values are noted in the
    template's ``Metadata``, under the names that they stood for.
    """
    if not values:
        return dict(template)
    noted = {f"{link.kind}:{link.name}": value for link, value in sorted(values.items())}
    written = _Writer(evaluator, values).write(dict(template))
    return {**written, "Metadata": {**template.get("Metadata", {}), _NOTE: noted}}


def links_written_out(template: Mapping[str, Json]) -> set[Link]:
    """Return the links whose values are written out in a deployed *template*."""
    noted = [text.partition(":") for text in template.get("Metadata", {}).get(_NOTE, ())]
    return {Link("export" if kind == "export" else "SSM parameter", name) for kind, _, name in noted}


_NOTE = "ValuesInPlaceOfReferences"


class _Writer:
    def __init__(self, evaluator: Evaluator, values: Mapping[Link, str]) -> None:
        self._evaluator = evaluator
        self._values = values

    def write(self, expression: Json) -> Json:
        match expression:
            case str():
                expression = self._text(expression, variables=None)
            case list():
                expression = [self.write(item) for item in expression]
            case {"Fn::ImportValue": name}:
                expression = self._values.get(Link("export", self._evaluator.value(name)), expression)
            case {"Fn::Sub": str(text)}:
                expression = {"Fn::Sub": self._text(text, variables={})}
            case {"Fn::Sub": [str(text), dict(variables)]}:
                expression = {"Fn::Sub": [self._text(text, variables=variables), self.write(variables)]}
            case dict():
                expression = {key: self.write(item) for key, item in expression.items()}
        return expression

    def _text(self, text: str, *, variables: Mapping[str, Json] | None) -> str:
        """Write out what is in *text*; *variables* are those of the Fn::Sub that it belongs to, if it does."""

        def value(match: re.Match[str]) -> str:
            name = match[1] if variables is None else self._evaluator.value({"Fn::Sub": [match[1], variables]})
            found = self._values.get(Link("SSM parameter", name))
            if found is None:
                return match[0]
            return found if variables is None else found.replace("${", "${!")

        return _REFERENCE.sub(value, text)
