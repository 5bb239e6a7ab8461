from datetime import UTC, datetime

import pytest

from rydelab.capacity.schedule import parse_schedule


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("at(2026-11-21T08:00:00)", "2026-11-20T00:00", "2026-11-21T08:00"),
        ("at(2026-11-21T08:00:00)", "2026-11-21T08:00", None),
        ("rate(5 minutes)", "1970-01-01T00:07", "1970-01-01T00:10"),
        ("rate(1 day)", "1970-01-01T00:00", "1970-01-02T00:00"),
        ("cron(30 8 * * ? *)", "2026-11-21T08:00", "2026-11-21T08:30"),
        ("cron(30 8 * * ? *)", "2026-11-21T08:30", "2026-11-22T08:30"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-21T00:00", "2026-11-23T18:00"),
        ("cron(0/15 * * * ? *)", "2026-11-21T08:46", "2026-11-21T09:00"),
        ("cron(0 0 1 JAN,jul ? *)", "2026-11-21T00:00", "2027-01-01T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-11-21T00:00", "2028-02-29T00:00"),
        ("cron(0 0 1 1 ? 2020)", "2026-11-21T00:00", None),
        ("cron(0 9 ? * 1 *)", "2026-11-21T00:00", "2026-11-22T09:00"),
    ],
)
def test_next_time_of_a_schedule(expression: str, after: str, due: str | None) -> None:
    assert parse_schedule(expression).next_after(at(after)) == (None if due is None else at(due))


def test_times_are_in_the_zone_of_the_schedule_over_a_change_of_clocks() -> None:
    daily = parse_schedule("cron(0 9 * * ? *)", zone="Europe/Paris")
    assert daily.next_after(at("2026-10-24T00:00")) == at("2026-10-24T07:00")
    assert daily.next_after(at("2026-10-25T00:00")) == at("2026-10-25T08:00")


def test_start_and_end_bound_a_schedule() -> None:
    start, end = at("2026-11-21T00:00"), at("2026-11-22T12:00")
    daily = parse_schedule("cron(0 9 * * ? *)", start=start, end=end)
    assert daily.next_after(0.0) == at("2026-11-21T09:00")
    assert daily.next_after(at("2026-11-21T09:00")) == at("2026-11-22T09:00")
    assert daily.next_after(at("2026-11-22T09:00")) is None
    hourly = parse_schedule("rate(1 hour)", start=start + 600)
    assert hourly.next_after(0.0) == start + 600
    assert hourly.next_after(start + 600) == start + 4200


@pytest.mark.parametrize(
    ("expression", "zone", "message"),
    [
        ("every day", "UTC", "must be at"),
        ("at(tomorrow)", "UTC", "yyyy-mm-dd"),
        ("rate(0 minutes)", "UTC", "rate"),
        ("rate(1 minutes)", "UTC", "rate"),
        ("rate(5 weeks)", "UTC", "rate"),
        ("cron(0 9 * * *)", "UTC", "6 fields, got 5"),
        ("cron(0 9 * * * *)", "UTC", "exactly one"),
        ("cron(61 9 * * ? *)", "UTC", "'61' is outside 0 to 59"),
        ("cron(0 9 L * ? *)", "UTC", "'L' is not supported"),
        ("cron(0 9 * * ? *)", "Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_a_wrong_expression_is_named(expression: str, zone: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_schedule(expression, zone=zone)
