import math
from dataclasses import fields
from typing import Any

import pytest

from rydelab.capacity.settings import Settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"burst_s": 0}, "burst_s must be > 0, got 0"),
        ({"burst_s": math.nan}, "burst_s must be > 0, got nan"),
        ({"max_debt_units": -1}, "max_debt_units must be >= 0, got -1"),
        ({"failed_write": "half"}, "failed_write must be one of 'larger', 'existing', 'one_if_absent', got 'half'"),
        ({"heat_threshold": 80}, "heat_threshold is a fraction"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**values)


def test_the_lab_clock_speeds_up_control_loops_and_never_units_or_burst() -> None:
    normal, fast = Settings(), Settings().at_clock_speed(10)
    changed = {field.name for field in fields(Settings) if getattr(normal, field.name) != getattr(fast, field.name)}
    assert changed == {
        "on_demand_growth_s",
        "on_demand_peak_window_s",
        "heat_window_s",
        "split_after_s",
        "update_delay_s",
        "mode_switch_delay_s",
        "scaling_period_s",
    }
    assert fast.on_demand_growth_s == 180
    with pytest.raises(ValueError, match="clock speed must be > 0, got 0"):
        normal.at_clock_speed(0)
