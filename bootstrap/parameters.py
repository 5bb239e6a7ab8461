"""Which template parameters a stack gets, checked against the template's own rules before anything is deployed."""

import re
from collections.abc import Mapping, Sequence

from bootstrap.errors import InputError
from bootstrap.services import Service
from bootstrap.template import Json


def parameters_for(service: Service, *, offered: Mapping[str, str], required_use: Mapping[str, str]) -> dict[str, str]:
    """Return the value of every parameter that *service*'s template declares.

    *required_use* wins over *offered*, and both over the template's defaults. Raises InputError for a value that the
    template does not allow, and for a parameter that has none.
    """
    given = {**offered, **required_use}
    values = {}
    for name, declaration in service.template.get("Parameters", {}).items():
        if name in given:
            value = given[name]
        elif "Default" in declaration:
            value = as_text(declaration["Default"])
        else:
            raise InputError(f"{service.name}: parameter {name} has no default: give it with --parameter {name}=VALUE")
        _check(service.name, name, value, declaration)
        values[name] = value
    return values


def check_all_used(services: Sequence[Service], parameters: Mapping[str, str]) -> None:
    """Raise InputError for a parameter that no template of *services* declares."""
    declared = sorted({name for service in services for name in service.template.get("Parameters", {})})
    for name in parameters:
        if name not in declared:
            names = ", ".join(service.name for service in services)
            raise InputError(f"parameter {name!r}: no template of {names} has it; there are: {', '.join(declared)}")


def is_in_parameter_store(declaration: Mapping[str, Json]) -> bool:
    """Return whether the template parameter *declaration* gives the name of an SSM parameter, and means its value."""
    return str(declaration.get("Type", "")).startswith("AWS::SSM::Parameter::Value<")


def as_text(value: Json) -> str:
    """Return *value* as CloudFormation compares and stores it: as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _check(service: str, name: str, value: str, declaration: Mapping[str, Json]) -> None:
    wrong = f"{service}: parameter {name}={value}"
    allowed = [as_text(choice) for choice in declaration.get("AllowedValues", ())]
    if allowed and value not in allowed:
        raise InputError(f"{wrong}: must be one of {', '.join(allowed)}")
    pattern = declaration.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(as_text(pattern), value):
        raise InputError(f"{wrong}: {declaration.get('ConstraintDescription') or f'must match {pattern}'}")
    if declaration.get("Type") == "Number":
        _check_number(wrong, value, declaration)
    if "MinLength" in declaration and len(value) < int(declaration["MinLength"]):
        raise InputError(f"{wrong}: must have at least {declaration['MinLength']} characters")
    if "MaxLength" in declaration and len(value) > int(declaration["MaxLength"]):
        raise InputError(f"{wrong}: must have at most {declaration['MaxLength']} characters")


def _check_number(wrong: str, value: str, declaration: Mapping[str, Json]) -> None:
    try:
        number = float(value)
    except ValueError:
        raise InputError(f"{wrong}: must be a number") from None
    if "MinValue" in declaration and number < float(declaration["MinValue"]):
        raise InputError(f"{wrong}: must be at least {declaration['MinValue']}")
    if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
        raise InputError(f"{wrong}: must be at most {declaration['MaxValue']}")
