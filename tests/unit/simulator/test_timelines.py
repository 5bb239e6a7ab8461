"""What the exact engine makes of loads whose outcome is worked out by hand."""

import pytest

from rydelab.simulator.cell import Conditions
from rydelab.simulator.traffic import RECORD, RIDE, UNICORN, Rate
from tests.unit.simulator.places import at, every, fates, instant, latency_s, play, recorded_s

LEGACY_S = 0.05 * (2**9 - 1)
"""All pauses of a client of DynamoDB in mode legacy: 25.55 s."""
THROTTLED = "TableWriteProvisionedThroughputExceeded"


def test_a_flood_of_30_s_on_one_write_unit_has_the_burst_and_30_more() -> None:
    outcome = play(every(0.05, 640))

    assert sum(time_s < 30 for time_s in recorded_s(outcome)) == 329
    assert sum(time_s <= 30.05 for time_s in recorded_s(outcome)) == 330


def test_what_is_not_throttled_takes_what_its_steps_take() -> None:
    place = instant(
        gateway=0.010, request_ride=0.003, invoke=0.020, request_unicorn=0.004, put_ride_record=0.002, put_item=0.005
    )

    direct = play(at(0.0), "direct-invoke", profile=place)
    apart = play(at(0.0), "microservices", profile=place)

    # own time, the fleet, PutRideRecordHttp, PutItem, and API Gateway for each request through it
    assert latency_s(direct) == [pytest.approx(0.003 + 0.024 + 0.007 + 2 * 0.010)]
    assert latency_s(apart) == [pytest.approx(0.003 + 0.014 + 0.007 + 2 * 0.010)]
    assert recorded_s(direct) == [pytest.approx(0.003 + 0.024 + 0.002)]


def test_an_event_is_recorded_after_the_answer() -> None:
    place = instant(gateway=0.010, publish=0.008, sns_to_lambda=0.1, put_ride_record=0.002, sns_to_sqs=0.05)

    event = play(at(1.0), "event-driven", profile=place)
    queued = play(at(1.0), "queued", profile=place)

    assert latency_s(event) == latency_s(queued) == [pytest.approx(0.018)]
    assert recorded_s(event) == [pytest.approx(1.008 + 0.1 + 0.002)]
    assert recorded_s(queued) == [pytest.approx(1.008 + 0.05 + 0.002)]


@pytest.mark.parametrize("design", ["microservices", "direct-invoke"])
def test_a_throttled_client_waits_for_all_pauses_of_the_sdk(design: str) -> None:
    # They all try again at the same moments, until the last at 25.55 s: every unit of these seconds is used.
    outcome = play(at(*[0.0] * 330), design)

    refused = [wait for wait, fate in zip(latency_s(outcome), fates(outcome), strict=True) if fate == "refused"]
    assert outcome.rows["recorded"] == 300 + 25
    assert set(refused) == {LEGACY_S}
    assert outcome.throttles[THROTTLED] > 0


def test_the_standard_mode_gives_up_after_three_attempts() -> None:
    outcome = play(at(*[0.0] * 320), sdk_retry_mode="standard")

    refused = outcome.rows["refused"]
    assert outcome.rows["recorded"] + refused == 320
    assert max(latency_s(outcome)) <= 1 + 2
    assert outcome.throttles[THROTTLED] >= 3 * refused


def test_the_standard_mode_stops_retrying_when_its_quota_is_used_up() -> None:
    # One environment whose 500 tokens pay for 100 retries, and a table that has a unit for one ride in hundred.
    one_by_one = at(*[0.0] * 300, *(10.0 + 3.1 * number for number in range(60)))
    scarce = play(one_by_one, sdk_retry_mode="standard", record_concurrency=1, write_units=1)
    assert scarce.throttles.get(THROTTLED, 0) == 0  # a ride each 3.1 s finds the units of 3.1 s

    crowd = play(at(*[0.0] * 700), sdk_retry_mode="standard", record_concurrency=1, profile=instant(put_item=1e-6))
    assert crowd.rows["recorded"] + crowd.rows["refused"] == 700


def test_an_event_is_tried_again_after_one_minute_and_after_two_and_then_dead_lettered() -> None:
    outcome = play(at(*[0.0] * 1000), "event-driven")

    # Three times ten attempts, the same moments for all; the units of the pauses in between are saved up.
    last_s = 3 * LEGACY_S + 60 + 120
    assert outcome.rows["recorded"] == 300 + int(last_s)
    assert [second for second, number in enumerate(outcome.series.dead_letters) if number] == [int(last_s)]
    assert outcome.retries == 700 - 25 + 700 - 25 - 60 - 26


def test_the_lab_clock_shortens_the_pauses_between_events_but_not_the_sdks() -> None:
    load = at(*[0.0] * 400)

    slow = play(load, "event-driven", sdk_retry_mode="standard")
    fast = play(load, "event-driven", sdk_retry_mode="standard", conditions=Conditions(clock_speed=60))

    assert max(time_s for time_s in recorded_s(slow) if time_s < 1e9) > 180
    assert max(time_s for time_s in recorded_s(fast) if time_s < 1e9) < 3 + 9


def test_a_message_is_received_five_times_at_intervals_of_its_visibility_timeout() -> None:
    outcome = play(at(0.0), "queued", record_concurrency=0)

    # Refused until the messages are visible again, five times; found too often received at the sixth.
    assert outcome.rows["dead_lettered"] == 1
    assert [second for second, number in enumerate(outcome.series.dead_letters) if number] == [900]
    assert outcome.throttles == {"FunctionConcurrency": outcome.throttles["FunctionConcurrency"]}


def test_without_any_concurrency_an_event_is_dead_lettered_untried() -> None:
    outcome = play(at(0.0, 1.0), "event-driven", record_concurrency=0)

    assert outcome.rows["dead_lettered"] == 2
    assert outcome.retries == 0
    assert outcome.throttles == {}


def test_a_throttled_event_waits_twice_as_long_each_time() -> None:
    # The first event holds the only environment for 25 s; the second is refused at 0, 1, 3, 7, 15 and 31 s.
    outcome = play(at(0.0, 0.0), "event-driven", record_concurrency=1, profile=instant(put_ride_record=25.0))

    assert recorded_s(outcome) == [25.0, 31.0 + 25.0]
    assert outcome.throttles == {"FunctionConcurrency": 5}
    assert outcome.retries == 5


def test_more_rides_than_the_reserved_concurrency_are_refused() -> None:
    outcome = play(at(*[0.0] * 5), ride_concurrency=3, profile=instant(request_ride=1.0))

    assert fates(outcome) == ["recorded"] * 3 + ["refused"] * 2
    assert outcome.throttles == {"FunctionConcurrency": 2}


def test_the_functions_of_a_ride_share_the_accounts_concurrency() -> None:
    place = instant(limits={"account_concurrency": 5}, request_unicorn=1.0)

    # Two rides have RequestRide and the fleet's function; the third has RequestRide, and its Invoke is retried by the
    # SDK until the others have ended after a second; for the fourth nothing is left.
    outcome = play(at(*[0.0] * 4), profile=place)

    assert fates(outcome) == ["recorded"] * 3 + ["refused"]
    assert latency_s(outcome)[:2] == [1.0, 1.0]
    assert 2.0 <= latency_s(outcome)[2] <= 1 + 2 + 1  # pauses of up to 1 and 2 s, and the second of the fleet
    assert outcome.throttles == {"FunctionConcurrency": 1}


def test_a_function_gains_a_thousand_environments_at_once_and_a_hundred_a_second() -> None:
    place = instant(limits={"new_environments_per_10_s": 1000}, request_ride=5.0, init=0.0)

    outcome = play(at(*[0.0] * 1200, *[1.0] * 200), table_mode="on-demand", profile=place)

    assert outcome.rows["refused"] == 200 + 100
    assert outcome.throttles == {"FunctionConcurrency": 300}


def test_a_cold_start_delays_its_ride_alone() -> None:
    place = instant(init=0.5, request_ride=0.1)

    outcome = play(at(0.0, 10.0), profile=place)

    # RequestRide, the fleet's function and PutRideRecordHttp start once each.
    assert latency_s(outcome) == [pytest.approx(1.6), pytest.approx(0.1)]


def test_an_environment_that_was_idle_too_long_is_gone() -> None:
    place = instant(init=0.5, limits={"environment_idle_s": 60})

    outcome = play(at(0.0, 30.0, 300.0), profile=place)

    assert latency_s(outcome) == [pytest.approx(1.5), 0.0, pytest.approx(1.5)]


def test_warm_up_rides_leave_environments_and_take_units() -> None:
    place = instant(init=0.5)
    warm = Conditions(warm_up_rides=20, warm_up_before_s=5)

    outcome = play(at(*[0.0] * 4, 2.0), profile=place, conditions=warm)

    assert set(latency_s(outcome)) == {0.0}
    assert outcome.series.capacity[0].burst_left[0] == 300 - 20 + 5 + 1 - 4


def test_api_gateway_turns_away_what_is_above_its_rate_and_burst() -> None:
    place = instant(limits={"gateway_requests_per_s": 10, "gateway_burst": 5})

    outcome = play(at(*[0.0] * 8, *[1.0] * 2), "event-driven", "on-demand", profile=place)

    assert fates(outcome) == ["recorded"] * 5 + ["refused"] * 3 + ["recorded"] * 2
    assert list(outcome.errors) == ["429 Too Many Requests"]


def test_the_rate_is_of_all_apis_together() -> None:
    place = instant(limits={"gateway_requests_per_s": 1, "gateway_burst": 5})

    # Three requests for each ride: the second ride has two of them left, and its record is turned away.
    outcome = play(at(40.0, 40.0), "microservices", "on-demand", profile=place)

    assert fates(outcome) == ["recorded", "refused"]
    assert list(outcome.errors) == ["502 the ride could not be recorded: 429 Too Many Requests"]
    assert latency_s(outcome) == [0.0, 0.0]


def test_a_client_that_gives_up_may_leave_a_record_behind() -> None:
    outcome = play(at(0.0), profile=instant(put_item=10.0), conditions=Conditions(timeout_s=5))

    assert fates(outcome) == ["ghost"]
    assert latency_s(outcome) == [5.0]


def test_a_ride_that_takes_longer_than_its_function_may_is_refused_at_29_s() -> None:
    outcome = play(at(0.0), "event-driven", profile=instant(request_ride=28.0, publish=5.0))

    assert latency_s(outcome) == [29.0]
    assert fates(outcome) == ["ghost"]  # it was published all the same
    assert list(outcome.errors) == ["504 Endpoint request timed out"]


def test_a_failure_that_is_ignored_loses_the_ride() -> None:
    outcome = play(at(*[0.0] * 320), on_record_failure="ignore", sdk_retry_mode="standard")

    assert outcome.rows["refused"] == 0
    assert outcome.rows["lost"] == 320 - outcome.rows["recorded"] > 0


def test_other_requests_than_rides_take_their_own_ways() -> None:
    load = at(0.0, 1.0, 2.0, kinds=bytes([RIDE, RECORD, UNICORN]))

    outcome = play(load, "queued", profile=instant(gateway=0.01, request_ride=1.0, request_unicorn=0.2))

    assert fates(outcome) == ["recorded", "recorded", "answered"]
    assert outcome.arrivals == 2
    assert latency_s(outcome) == [pytest.approx(1.21), pytest.approx(0.01), pytest.approx(0.21)]


def test_what_a_batch_has_no_time_for_comes_back_after_the_visibility_timeout() -> None:
    one = instant(put_ride_record=2.9, limits={"sqs_pollers": 1, "sqs_growth_per_min": 0})
    outcome = play(at(*[0.0] * 10), "queued", profile=one)

    # The first ride has a batch of its own. Seven of the other nine are begun before less than 10 of 30 s are left.
    again_s = 2.9 + 180
    expected_s = [2.9 * number for number in range(1, 9)] + [again_s + 2.9, again_s + 5.8]
    assert recorded_s(outcome) == pytest.approx(expected_s)
    assert outcome.retries == 2
    assert outcome.rewrites == 0


def test_what_was_written_before_its_batch_was_cut_off_is_written_again() -> None:
    # 19 s for the first ride of the second batch; 11 s are left for the next, which is begun and cut off. Each time.
    one = instant(put_ride_record=19.0, limits={"sqs_pollers": 1, "sqs_growth_per_min": 0})
    outcome = play(at(*[0.0] * 3), "queued", profile=one)

    assert fates(outcome) == ["recorded", "recorded", "dead_lettered"]
    assert outcome.rewrites == 1
    assert outcome.usage.write_units == 1 + 5


def test_auto_scaling_reacts_to_two_minutes_above_its_target_and_takes_36_7_s() -> None:
    outcome = play(Rate([2] * 240, 1.0), "event-driven", "autoscaled")

    provisioned = outcome.series.capacity[0].provisioned
    # 120 units a minute at 70 % are 2.86 units a second; seen at 60 and 120 s, looked at once a second.
    assert provisioned[:156] == (1.0,) * 156
    assert provisioned[156] == 3.0


def test_the_minutes_are_those_of_the_clock() -> None:
    outcome = play(Rate([2] * 240, 1.0), "event-driven", "autoscaled", conditions=Conditions(begins_at_s=1e9 + 40.0))

    provisioned = outcome.series.capacity[0].provisioned
    # 10**9 + 40 is 20 s past a minute: the minutes end at 40, 100, 160; the first of them is not yet above.
    assert provisioned.index(3.0) == pytest.approx(40 + 60 + 37, abs=1)


def test_a_flood_above_what_on_demand_serves_is_throttled() -> None:
    outcome = play(Rate([9000], 1.0), "event-driven", "on-demand")

    assert list(outcome.throttles) == ["TableWriteKeyRangeThroughputExceeded"]
    assert sum(time_s < 1 for time_s in recorded_s(outcome)) == pytest.approx(4000 + 4000, rel=0.005)
    assert outcome.rows["recorded"] == 9000


def test_the_batch_is_what_waits_in_the_queue() -> None:
    # 5 pollers are busy for 1 s; 30 more messages come meanwhile: three full batches.
    outcome = play(
        at(*[0.0] * 5, *[0.5] * 30),
        "queued",
        profile=instant(put_ride_record=1.0, limits={"sqs_growth_per_min": 0.0}),
    )

    assert outcome.rows["recorded"] == 35
    assert outcome.usage.functions["PutRideRecordSqs"].invocations == 5 + 3


def test_pollers_grow_by_five_a_second_while_all_are_busy() -> None:
    outcome = play(at(*[0.0] * 200), "queued", "on-demand", profile=instant(put_ride_record=1.0))

    # 5 batches at 0 s, then one more each 0.2 s until all 20 batches are taken.
    first = sorted(set(recorded_s(outcome)))[:4]
    assert first == [1.0, 1.2, 1.4, 1.6]
