"""What a fault may be, and what it says of one that cannot be."""

from typing import Any

import pytest

from rydelab.faults import KINDS, Fault, FaultError


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_set_with_nothing_but_target_and_length(kind: str) -> None:
    target = "Thing" if KINDS[kind].target else ""
    fault = Fault(kind, target, length_s=1)
    assert all(fault.value(name) == parameter.default for name, parameter in KINDS[kind].parameters.items())
    assert fault.label == f"{target or 'the lab'} {KINDS[kind].label}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_of_each_parameter_is_one_that_may_be_given(kind: str) -> None:
    assert [one for one in KINDS[kind].parameters.values() if one.check(one.default)] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "function-errors"}, "kind = 'function-errors': must be one of function-error, "),
        ({"target": ""}, "target = '': must name a function"),
        ({"kind": "emulator-paused"}, "target = 'PutRide': means nothing to emulator-paused"),
        ({"length_s": 0}, "length_s = 0: must be a number above 0 to 86400"),
        ({"length_s": float("nan")}, "length_s = nan: "),
        ({"length_s": "5"}, "length_s = '5': "),
        ({"start_s": -1}, "start_s = -1: must be a number from 0 to 86400"),
        ({"parameters": {"rate": 1.5}}, "rate = 1.5: must be a number from 0 to 1"),
        ({"parameters": {"rate": True}}, "rate = True: "),
        ({"parameters": {"seed": 0.5}}, "seed = 0.5: must be a whole number from 0 to 4294967295"),
        ({"parameters": {"delay_ms": 5}}, r"delay_ms = 5: is no parameter of function-error \(there are rate, seed\)"),
        (
            {"kind": "table-refused", "parameters": {"error": "Nope"}},
            "error = 'Nope': must be one of InternalServerError, ProvisionedThroughputExceededException",
        ),
    ],
)
def test_what_cannot_be_is_named_with_its_value(changes: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {"kind": "function-error", "target": "PutRide", "length_s": 5, **changes}
    with pytest.raises(FaultError, match=message):
        Fault(**values)
