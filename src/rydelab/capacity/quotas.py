"""Quotas: units per table and account, decreases in a UTC day, switches to on-demand in 24 hours (A10)."""

from rydelab.capacity.errors import LimitExceededError
from rydelab.capacity.settings import Settings

DAY_S = 86_400
HOUR_S = 3_600


class DecreaseQuota:
    """The decreases that one table or global index has left: 4 when a UTC day begins, one more each hour, 27 a day.

    ``now`` must be seconds since the Unix epoch for the day to be UTC's. A clock that steps back gives nothing.
    """

    __slots__ = ("_hour", "_settings", "_stock", "_today")

    def __init__(self, settings: Settings, now: float) -> None:
        self._settings = settings
        self._hour = int(now // HOUR_S)
        self._stock = settings.decrease_stock
        self._today = 0

    def today(self, now: float) -> int:
        """Return NumberOfDecreasesToday."""
        self._advance(now)
        return self._today

    def allows(self, now: float) -> bool:
        """Tell whether one more decrease is allowed at *now*."""
        self._advance(now)
        return self._stock > 0 and self._today < self._settings.decreases_per_day

    def spend(self, now: float) -> None:
        """Count one decrease, which :meth:`allows` allowed."""
        self._advance(now)
        self._stock -= 1
        self._today += 1

    def _advance(self, now: float) -> None:
        hour = int(now // HOUR_S)
        if hour <= self._hour:
            return
        hours_a_day = DAY_S // HOUR_S
        if hour // hours_a_day > self._hour // hours_a_day:
            self._today = 0
            self._stock = self._settings.decrease_stock
        else:
            self._stock = min(self._settings.decrease_stock, self._stock + hour - self._hour)
        self._hour = hour


class SwitchQuota:
    """The switches of one table from provisioned to on-demand: 4 in any 24 hours."""

    __slots__ = ("_settings", "_times")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._times: tuple[float, ...] = ()  # the latest, as many as can matter

    def allows(self, now: float) -> bool:
        """Tell whether one more switch is allowed at *now*."""
        recent = sum(now - time < self._settings.mode_switch_window_s for time in self._times)
        return recent < self._settings.mode_switches

    def spend(self, now: float) -> None:
        """Count one switch."""
        self._times = (*self._times, now)[-self._settings.mode_switches :]

    @property
    def last(self) -> float | None:
        """When the table last switched to on-demand."""
        return self._times[-1] if self._times else None


class Account:
    """The provisioned units of one account in one Region, summed over its tables and global indexes.

    On-demand tables count nothing: for them AWS has a quota per table only.
    """

    __slots__ = ("_settings", "_tables")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tables: dict[str, tuple[float, float]] = {}

    @property
    def read_rate(self) -> float:
        """Provisioned read units per second."""
        return sum(read for read, _ in self._tables.values())

    @property
    def write_rate(self) -> float:
        """Provisioned write units per second."""
        return sum(write for _, write in self._tables.values())

    @property
    def read_utilization(self) -> float:
        """Provisioned read units in percent of the account's quota."""
        return 100.0 * self.read_rate / self._settings.account_read_quota

    @property
    def write_utilization(self) -> float:
        """Provisioned write units in percent of the account's quota."""
        return 100.0 * self.write_rate / self._settings.account_write_quota

    def provision(self, table: str, read_rate: float, write_rate: float) -> None:
        """Set what *table* and its indexes have together; raise LimitExceededError beyond the quota."""
        read_before, write_before = self._tables.get(table, (0.0, 0.0))
        for name, before, wanted, total, quota in (
            ("read", read_before, read_rate, self.read_rate, self._settings.account_read_quota),
            ("write", write_before, write_rate, self.write_rate, self._settings.account_write_quota),
        ):
            if wanted > before and total - before + wanted > quota:
                raise LimitExceededError(
                    f"Subscriber limit exceeded: the {name} capacity units of the account would be "
                    f"{total - before + wanted:g}, its limit is {quota:g} (table {table})"
                )
        self._tables[table] = (read_rate, write_rate)

    def release(self, table: str) -> None:
        """Forget a deleted table."""
        self._tables.pop(table, None)
