"""RYDELAB_DYNAMODB_… variables."""

from dataclasses import fields

import pytest

from rydelab.capacity.settings import Settings
from rydelab.plugins.dynamodb.settings import DynamoDbSettingError, DynamoDbSettings, from_environment


def test_without_variables_everything_is_as_the_model_has_it() -> None:
    assert from_environment({"PATH": "/bin", "RYDELAB_PORT": "4566"}) == DynamoDbSettings(capacity=Settings())


def test_each_setting_is_read() -> None:
    settings = from_environment(
        {
            "RYDELAB_DYNAMODB_ENFORCEMENT": "off",
            "RYDELAB_DYNAMODB_SERIES_S": "60",
            "RYDELAB_DYNAMODB_UPDATE_DELAY_S": "1.5",
            "RYDELAB_DYNAMODB_MAX_DEBT_UNITS": "inf",
            "RYDELAB_DYNAMODB_ADAPTIVE_CAPACITY": "off",
            "RYDELAB_DYNAMODB_MODE_SWITCHES": "0",
            "RYDELAB_DYNAMODB_NUMBER_SIZE": "documented",
        }
    )

    assert (settings.enforcement, settings.series_s) == (False, 60)
    assert settings.capacity == Settings(
        update_delay_s=1.5, adaptive_capacity=False, mode_switches=0, number_size="documented"
    )


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_field_of_the_model_is_a_setting(name: str) -> None:
    default = getattr(Settings(), name)

    assert (
        from_environment(
            {f"RYDELAB_DYNAMODB_{name.upper()}": str(default).lower() if isinstance(default, bool) else str(default)}
        ).capacity
        == Settings()
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ENFORCEMENT", "maybe"),
        ("ENFORCEMENT", ""),
        ("STORE", "redis"),
        ("SERIES_S", "0"),
        ("BURST_S", "-1"),
        ("BURST_S", "many"),
        ("BURST_S", "nan"),
        ("MODE_SWITCHES", "1.5"),
        ("NUMBER_SIZE", "exact"),
        ("HEAT_THRESHOLD", "2"),
        ("BURTS_S", "300"),
    ],
)
def test_a_wrong_value_or_name_is_refused_with_both(variable: str, text: str) -> None:
    with pytest.raises(DynamoDbSettingError) as refused:
        from_environment({f"RYDELAB_DYNAMODB_{variable}": text})

    assert str(refused.value).startswith(f"RYDELAB_DYNAMODB_{variable}={text}: ")


def test_the_clock_speed_shortens_control_loops_and_neither_units_nor_burst() -> None:
    fast = from_environment({}, clock_speed=60.0).capacity

    assert fast.on_demand_growth_s == 30.0
    assert (fast.burst_s, fast.on_demand_write_rate) == (300.0, 4000.0)
