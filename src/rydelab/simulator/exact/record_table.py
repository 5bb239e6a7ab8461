"""RideRecordTable: the capacity model's table, its auto scaling, and what both were like second by second."""

import math

from rydelab.capacity.autoscaling import Bounds, Policy, Scaler
from rydelab.capacity.errors import CapacityError
from rydelab.capacity.schema import TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import Access, BillingMode
from rydelab.capacity.throughput import NO_SETTINGS, Throughput, ThroughputSettings
from rydelab.capacity.units import write_units
from rydelab.capacity.update import Update
from rydelab.simulator.cell import Cell, Conditions, Templates
from rydelab.simulator.exact.agenda import Agenda

LOOK_S, SHORTEST_LOOK_S = 1.0, 0.05
"""How often auto scaling looks whether an update has taken effect: so many seconds of AWS's time, and of real time."""


class RecordTable:
    """The table of one cell. Times are the simulation's, in which whole days of UTC are multiples of 86,400."""

    def __init__(
        self, cell: Cell, templates: Templates, conditions: Conditions, agenda: Agenda, *, begin_s: float
    ) -> None:
        settings = conditions.loop_settings
        is_on_demand = cell.table_mode == "on-demand"
        throughput = Throughput(read=cell.read_units, write=cell.write_units)
        self.table = Table(
            TableSchema("RideRecordTable", "RideId"),
            mode=BillingMode.ON_DEMAND if is_on_demand else BillingMode.PROVISIONED,
            throughput=NO_SETTINGS if is_on_demand else ThroughputSettings(throughput),
            settings=settings,
            now=begin_s,
        )
        self.is_on_demand = is_on_demand
        self.writes = self.table.resource().write
        self.units_per_ride = write_units(0, templates.record_bytes)
        self.item_bytes = templates.record_bytes
        self.warm_up_units = 0.0
        self.provisioned_unit_s = dict.fromkeys(Access, 0.0)
        self._last_look_s = conditions.begins_at_s % 86_400.0
        if cell.table_mode == "autoscaled":
            _AutoScaling(self.table, _scaler(cell, templates, settings), agenda, conditions, begin_s=begin_s)

    def charge_warm_up(self, rides: int, now_s: float) -> None:
        """Take the units of the rides before the load."""
        for number in range(rides):
            self.writes.admit(self.units_per_ride, number, now_s)
        self.warm_up_units = self.writes.consumed_units

    def look(self, now_s: float) -> tuple[float | None, float | None]:
        """Return the provisioned units per second and the burst left; None on-demand. Call it once an interval."""
        self.table.advance(now_s)
        if self.is_on_demand:
            return None, None
        provisioned = self.table.resource().provisioned
        for access in Access:
            self.provisioned_unit_s[access] += provisioned.of(access) * (now_s - self._last_look_s)
        self._last_look_s = now_s
        return provisioned.write, self.writes.level(now_s)


class _AutoScaling:
    """Feeds a scaler the consumed units of each period, and carries out what it says.

    Writes only: nothing reads the table, so its read units stay at their minimum.
    """

    def __init__(self, table: Table, scaler: Scaler, agenda: Agenda, conditions: Conditions, *, begin_s: float) -> None:
        self._table = table
        self._scaler = scaler
        self._agenda = agenda
        self._period_s = conditions.loop_settings.scaling_period_s
        self._look_s = max(LOOK_S / conditions.clock_speed, SHORTEST_LOOK_S)
        self._consumed_before = 0.0
        self._period = math.floor(begin_s / self._period_s) + 1
        agenda.at(self._period * self._period_s, self._observe)

    def _observe(self, now_s: float, _about: object) -> None:
        self._table.advance(now_s)
        resource = self._table.resource()
        consumed = resource.write.consumed_units - self._consumed_before
        self._consumed_before = resource.write.consumed_units
        started = self._scaler.observe(consumed, resource.provisioned.write, now_s)
        if started is not None:
            self._update(now_s, started.capacity)
        self._period += 1
        self._agenda.at(self._period * self._period_s, self._observe)

    def _update(self, now_s: float, capacity: int) -> None:
        wanted = Throughput(read=self._table.resource().provisioned.read, write=float(capacity))
        try:
            ready_s = self._table.update(Update(throughput=ThroughputSettings(wanted)), now_s)
        except CapacityError as error:  # the decreases of a day, or the quota of a table
            self._scaler.failed(str(error), now_s)
            return
        looks = math.ceil((ready_s - now_s) / self._look_s)
        self._agenda.at(max(ready_s, now_s + looks * self._look_s), self._fulfil)

    def _fulfil(self, now_s: float, _about: object) -> None:
        self._table.advance(now_s)
        self._scaler.fulfilled(now_s)


def _scaler(cell: Cell, templates: Templates, settings: Settings) -> Scaler:
    return Scaler(
        resource_id="table/RideRecordTable",
        access=Access.WRITE,
        policy=Policy(name="write", target_percent=templates.target_percent),
        bounds=Bounds(minimum=int(cell.write_units), maximum=int(cell.max_write_units)),
        capacity=int(cell.write_units),
        alarm_id="simulated",
        settings=settings,
    )
