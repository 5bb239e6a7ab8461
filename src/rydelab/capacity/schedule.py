"""When a scheduled action of Application Auto Scaling is due: ``at(...)``, ``rate(...)`` and ``cron(...)`` (B)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MINUTE_S = 60.0
SEARCH_DAYS = 366 * 5  # 29 February comes again within this
_UNITS_S = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {month: number for number, month in enumerate(_MONTH_NAMES, 1)}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_LAST_YEAR = 2199


@dataclass(frozen=True, slots=True)
class Cron:
    """The six fields of an AWS cron expression, as the sets of values that fit."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]

    def fits(self, day: date) -> bool:
        """Tell whether the expression has a time on *day*."""
        return (
            day.year in self.years
            and day.month in self.months
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or day.isoweekday() % 7 + 1 in self.weekdays)
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule expression in a time zone. Make one by :func:`parse_schedule`; exactly one of the three kinds is set.

    *start* and *end* are Unix seconds; a rate counts from *start*.
    """

    text: str
    zone: tzinfo
    start: float
    end: float | None
    at: float | None = None
    every_s: float | None = None
    cron: Cron | None = None

    def next_after(self, now: float) -> float | None:
        """Return the first time later than *now* (Unix seconds), or None if there is none."""
        after = max(now, self.start - MINUTE_S) if self.cron else now
        due: float | None
        if self.at is not None:
            due = self.at if self.at > after else None
        elif self.every_s is not None:
            passed = max(0, int((after - self.start) // self.every_s) + 1) if after >= self.start else 0
            due = self.start + passed * self.every_s
        else:
            due = self._next_cron(after)
        if due is None or due < self.start or (self.end is not None and due > self.end):
            return None
        return due

    def _next_cron(self, after: float) -> float | None:
        if self.cron is None:
            return None
        today = datetime.fromtimestamp(after, self.zone).date()
        for offset in range(SEARCH_DAYS):
            day = today + timedelta(days=offset)
            if not self.cron.fits(day):
                continue
            for hour in sorted(self.cron.hours):
                for minute in sorted(self.cron.minutes):
                    due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone).timestamp()
                    if due > after and due >= self.start:
                        return due
        return None


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """What moves the bounds of a scalable target, and when. None leaves a bound as it is."""

    name: str
    schedule: Schedule
    minimum: int | None = None
    maximum: int | None = None


def parse_schedule(text: str, *, zone: str = "UTC", start: float = 0.0, end: float | None = None) -> Schedule:
    """Return the schedule that *text* means in time zone *zone*; raise ValueError that names what is wrong."""
    match = re.fullmatch(r"(at|rate|cron)\((.*)\)", text.strip())
    if match is None:
        raise ValueError(f"schedule must be at(...), rate(...) or cron(...), got {text!r}")
    try:
        where: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"unknown time zone {zone!r}") from None
    kind, body = match.groups()
    if kind == "at":
        return Schedule(text, where, start, end, at=_at(text, body, where))
    if kind == "rate":
        return Schedule(text, where, start, end, every_s=_every_s(text, body))
    return Schedule(text, where, start, end, cron=_cron(text, body))


def _at(text: str, body: str, zone: tzinfo) -> float:
    try:
        return datetime.strptime(body, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).timestamp()
    except ValueError:
        raise ValueError(f"at(...) needs yyyy-mm-ddThh:mm:ss, got {text!r}") from None


def _every_s(text: str, body: str) -> float:
    match = re.fullmatch(r"(\d+) (minute|hour|day)(s?)", body)
    if match is None or int(match[1]) < 1 or (int(match[1]) == 1) == bool(match[3]):
        raise ValueError(f"rate(...) needs a number and minute(s), hour(s) or day(s), got {text!r}")
    return int(match[1]) * _UNITS_S[match[2]]


def _cron(text: str, body: str) -> Cron:
    fields = body.split()
    try:
        minute, hour, day, month, weekday, year = fields
    except ValueError:
        raise ValueError(f"cron(...) needs 6 fields, got {len(fields)} in {text!r}") from None
    if (day == "?") == (weekday == "?"):
        raise ValueError(f"cron(...) needs ? in exactly one of day-of-month and day-of-week, got {text!r}")
    return Cron(
        minutes=_values(text, minute, 0, 59),
        hours=_values(text, hour, 0, 23),
        days=None if day == "?" else _values(text, day, 1, 31),
        months=_values(text, month, 1, 12, _MONTHS),
        weekdays=None if weekday == "?" else _values(text, weekday, 1, 7, _DAYS),
        years=_values(text, year, 1970, _LAST_YEAR),
    )


def _values(text: str, field: str, first: int, last: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    values: set[int] = set()
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        low, dash, high = span.partition("-")
        try:
            if span == "*":
                begin, stop = first, last
            else:
                begin = _number(low, names)
                stop = _number(high, names) if dash else last if step else begin
            every = int(step) if step else 1
        except ValueError:
            raise ValueError(f"cron field {field!r} is not supported, in {text!r}") from None
        if not (first <= begin <= stop <= last and every >= 1):
            raise ValueError(f"cron field {field!r} is outside {first} to {last}, in {text!r}")
        values.update(range(begin, stop + 1, every))
    return frozenset(values)


def _number(text: str, names: Mapping[str, int] | None) -> int:
    return names[text] if names and text in names else int(text)
