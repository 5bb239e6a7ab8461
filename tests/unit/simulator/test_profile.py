"""Profiles: what they say, and what is said of one that cannot be used."""

import math
from statistics import median

import pytest

from rydelab.simulator.exact.chance import Chance
from rydelab.simulator.profile import LIMITS, PROFILES, TIMES, ProfileError, ServiceTime, load_profile, parse_profile

FIGURE = 'source = "somebody", date = "2026-11-21"'
WHOLE = "".join(f"times.{name} = {{ median_ms = 2, p95_ms = 5, {FIGURE} }}\n" for name in TIMES) + "".join(
    f"limits.{name} = {{ value = 7, {FIGURE} }}\n" for name in LIMITS
)


@pytest.mark.parametrize("name", PROFILES)
def test_every_figure_has_its_source_and_date(name: str) -> None:
    profile = load_profile(name)

    assert profile.name == name
    assert set(profile.times) == set(TIMES)
    assert set(profile.limits) == set(LIMITS)
    assert all(time.source and time.date >= "2020" for time in profile.times.values())


def test_a_profile_of_ones_own_is_read() -> None:
    profile = parse_profile("reference_memory_mb = 128\n" + WHOLE, source="mine.toml", name="mine")

    assert profile.times["put_item"] == ServiceTime(0.002, 0.005, "somebody", "2026-11-21")
    assert profile.limits["account_concurrency"] == 7


def test_more_memory_shortens_own_times_up_to_one_processor() -> None:
    profile = parse_profile("reference_memory_mb = 128\n" + WHOLE, source="mine.toml", name="mine")

    assert profile.time("request_ride", memory_mb=256).median_s == pytest.approx(0.001)
    assert profile.time("request_ride", memory_mb=10_240).median_s == pytest.approx(0.002 * 128 / 1769)
    assert profile.time("put_item").median_s == 0.002


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense", "mine.toml: not TOML"),
        ("", r"mine.toml: \[times\] is missing"),
        (WHOLE.replace("times.put_item", "times.put_items"), "mine.toml: times.put_items: there is no such key"),
        (WHOLE.replace("times.put_item =", "x =", 1), "mine.toml: x: there is no such key"),
        (WHOLE.replace("value = 7", "value = -7", 1), "value = -7: must not be negative"),
        (WHOLE.replace("value = 7", 'value = "7"', 1), "value = '7': must be a number"),
        (WHOLE.replace("median_ms = 2", "median_ms = 6", 1), "must be 0 < median_ms <= p95_ms"),
        (WHOLE.replace(", " + FIGURE, "", 1), "source is missing"),
        (WHOLE.replace("value = 7", "value = 7, unit = 1", 1), "unit: there is no such key"),
        ("reference_memory_mb = 0\n" + WHOLE, "reference_memory_mb = 0: must be a number of at least 1"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_by_key_and_value(text: str, complaint: str) -> None:
    with pytest.raises(ProfileError, match=complaint):
        parse_profile(text, source="mine.toml", name="mine")


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ProfileError, match="profile 'moon': there are local, aws"):
        load_profile("moon")


def test_times_by_chance_have_the_distributions_own_median_mean_and_tail() -> None:
    time = ServiceTime(0.010, 0.040)
    draw = Chance(1).times(time)

    values = sorted(draw() for _ in range(20_000))

    assert median(values) == pytest.approx(0.010, rel=0.02)
    assert values[int(0.95 * len(values))] == pytest.approx(0.040, rel=0.02)
    assert sum(values) / len(values) == pytest.approx(time.mean_s, rel=0.02)
    assert time.quantile_s(0.95) == pytest.approx(0.040)
    assert time.mean_s == pytest.approx(0.010 * math.exp(time.sigma**2 / 2))
