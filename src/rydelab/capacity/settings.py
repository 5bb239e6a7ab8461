"""Everything that AWS does not document, or lets a customer raise, as one frozen value."""

import math
from dataclasses import dataclass, fields, replace
from typing import Literal, Self, get_args, get_origin

GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the model fills the gaps in AWS's documentation.

    Sources are the sections of the fact sheet, as in ``docs/capacity.md``, which explains each
    field. Fields ending in ``_s`` are seconds, in ``_units`` capacity units; rates are units per second.
    """

    # Sizes and charges: sections A2, A3, A5 of the facts.
    number_size: Literal["sharper", "documented"] = "sharper"
    set_overhead_bytes: int = 0
    failed_write: Literal["larger", "existing", "one_if_absent"] = "larger"
    condition_check: Literal["write", "read"] = "write"
    replayed_transaction: Literal["transactional", "strong", "eventual"] = "transactional"
    transactions_report_both: bool = True

    # Table-wide buckets: sections A6 of the facts.
    burst_s: float = 300.0
    fresh_burst_s: float = 300.0
    debt_threshold_units: float = 1.0
    max_debt_units: float = math.inf
    page_admission: Literal["before", "after"] = "before"

    # Partitions: sections A7, A8 of the facts.
    partition_read_rate: float = 3000.0
    partition_write_rate: float = 1000.0
    partition_burst_s: float = 1.0
    partition_bytes: int = 10 * GIB
    partitions_by_throughput: Literal["sum", "larger"] = "sum"
    on_demand_partitions_by_throughput: Literal["sum", "larger"] = "larger"
    max_partitions: int = 10_000
    adaptive_capacity: bool = True
    heat_window_s: float = 60.0
    heat_threshold: float = 0.8
    heat_bins: int = 32
    heat_keys: int = 16
    split_after_s: float = 300.0
    split_min_share: float = 0.01

    # On-demand: sections A10 of the facts.
    on_demand_read_rate: float = 12_000.0
    on_demand_write_rate: float = 4_000.0
    on_demand_burst_s: float = 1.0
    on_demand_growth: float = 2.0
    on_demand_growth_s: float = 1800.0
    on_demand_peak_window_s: float = 60.0
    on_demand_maximum_burst_s: float = 300.0

    # Quotas: sections A10 of the facts.
    table_read_quota: float = 40_000.0
    table_write_quota: float = 40_000.0
    account_read_quota: float = 80_000.0
    account_write_quota: float = 80_000.0
    decrease_stock: int = 4
    decreases_per_day: int = 27
    mode_switches: int = 4
    mode_switch_window_s: float = 86_400.0

    # How long the control plane takes: sections A10, B of the facts.
    update_delay_s: float = 36.7
    mode_switch_delay_s: float = 180.0

    # Auto scaling: section B of the facts.
    scaling_period_s: float = 60.0
    scale_out_points: int = 2
    scale_in_points: int = 15
    scale_in_margin_percent: float = 20.0
    alarm_lag_points: int = 0
    capacity_high_points: int = 2
    capacity_low_points: int = 3
    zero_traffic_scales_in: bool = True
    scaling_activities: int = 100

    # Which exception, where AWS's pages disagree: sections A11 of the facts.
    hot_partition_exception: Literal["ProvisionedThroughputExceededException", "ThrottlingException"] = (
        "ProvisionedThroughputExceededException"
    )
    account_limit_exception: Literal["RequestLimitExceeded", "ThrottlingException"] = "RequestLimitExceeded"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if get_origin(field.type) is Literal:
                choices = get_args(field.type)
                if value not in choices:
                    raise ValueError(f"{field.name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
            elif field.type is not bool and field.name not in _MAY_BE_ZERO and not value > 0:
                raise ValueError(f"{field.name} must be > 0, got {value!r}")
            elif field.type is not bool and value < 0:
                raise ValueError(f"{field.name} must be >= 0, got {value!r}")
        for name in ("heat_threshold", "split_min_share"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} is a fraction and must be <= 1, got {getattr(self, name)!r}")

    def at_clock_speed(self, speed: float) -> Self:
        """Return the settings of a lab whose slow control loops run *speed* times faster; units and burst stay."""
        if not speed > 0:
            raise ValueError(f"clock speed must be > 0, got {speed!r}")
        return replace(self, **{name: getattr(self, name) / speed for name in _CONTROL_LOOPS})


_MAY_BE_ZERO = frozenset(
    {"set_overhead_bytes", "fresh_burst_s", "max_debt_units", "update_delay_s", "mode_switch_delay_s", "mode_switches"}
    | {"decrease_stock", "decreases_per_day", "split_min_share", "debt_threshold_units", "alarm_lag_points"}
    | {"scale_in_margin_percent"}
)
_CONTROL_LOOPS = (
    "on_demand_growth_s",
    "on_demand_peak_window_s",
    "heat_window_s",
    "split_after_s",
    "update_delay_s",
    "mode_switch_delay_s",
    "scaling_period_s",
)
