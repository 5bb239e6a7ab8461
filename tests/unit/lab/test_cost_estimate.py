"""What a month uses, counted by hand."""

import pytest

from rydelab.capacity.bill import MONTH_S
from rydelab.capacity.usage import Usage
from rydelab.lab.cost_estimate import Assumptions, Estimate, PathError, along, of_cell, parse_path
from rydelab.lab.scenarios.cell import DESIGNS, Cell

MILLION = Assumptions(requests=1e6, duration_ms=100, memory_mb=128)


def path(text: str, given: Assumptions = MILLION) -> Usage:
    return along(parse_path(text), given).usage


def busy_s(usage: Usage) -> float:
    return sum(function.busy_s for function in usage.functions.values())


def invocations(usage: Usage) -> float:
    return sum(function.invocations for function in usage.functions.values())


def test_a_function_behind_api_gateway_is_one_request_one_invocation_and_its_log() -> None:
    used = path("gateway,lambda", Assumptions(requests=10e6, duration_ms=100, log_bytes=400))

    assert used.gateway_requests == 10e6
    assert (invocations(used), busy_s(used)) == (10e6, 1e6)
    assert used.log_bytes == 4e9
    assert (used.sns_publishes, used.sqs_requests, used.write_units, used.is_provisioned) == (0, 0, 0, False)


def test_a_topic_before_a_function_is_published_to_once() -> None:
    used = path("sns,lambda,table=on-demand")

    assert (used.sns_publishes, invocations(used), used.write_units) == (1e6, 1e6, 1e6)
    assert (used.stored_items, used.stored_bytes) == (1e6, 160e6)
    assert not used.is_provisioned


def test_a_queue_is_sent_to_for_each_message_and_asked_and_emptied_for_each_batch() -> None:
    used = path("sns,sqs,lambda,table=on-demand", Assumptions(requests=100e6, batch_size=10))

    # 100 million messages in 2,628,000 s are 3.8 batches a second: a poller waits 1.3 s for its next one, never 20.
    assert used.sqs_empty_receives == pytest.approx(0, abs=100)
    assert used.sqs_requests == pytest.approx(100e6 + 2 * 10e6, abs=100)
    assert (used.sqs_sends, invocations(used), used.write_units) == (100e6, 10e6, 100e6)


def test_a_queue_that_nothing_takes_from_is_only_sent_to() -> None:
    assert path("sns,sqs").sqs_requests == 1e6


def test_an_idle_queue_costs_empty_receives() -> None:
    used = path("sqs,lambda", Assumptions(requests=1))

    assert used.sqs_empty_receives == pytest.approx(5 * MONTH_S / 20, rel=0.001)


def test_large_items_take_more_units() -> None:
    used = path("lambda,table=on-demand", Assumptions(requests=1e6, item_bytes=1025))

    assert used.write_units == 2e6


@pytest.mark.parametrize(
    ("mode", "requests", "units"),
    [
        # 1 a second is 2,628,000 a month.
        ("provisioned", 1e6, 1),
        ("provisioned", 2_628_000, 1),
        ("provisioned", 2_628_001, 2),
        ("autoscaled", 1e6, 1),
        # 7 a second at 70 % are 10 units.
        ("autoscaled", 7 * 2_628_000, 10),
        ("autoscaled", 7 * 2_628_000 + 1_000, 11),
    ],
)
def test_a_table_has_the_units_that_even_traffic_needs(mode: str, requests: float, units: float) -> None:
    used = path(f"lambda,table={mode}", Assumptions(requests=requests))

    assert used.provisioned_write_unit_s == units * MONTH_S
    assert used.provisioned_read_unit_s == MONTH_S
    assert used.alarms == (8 if mode == "autoscaled" else 0)


def test_units_that_are_given_are_taken_and_too_few_are_told() -> None:
    plenty = along(parse_path("lambda,table=provisioned"), Assumptions(requests=1e6, write_units=5))
    few = along(parse_path("lambda,table=provisioned"), Assumptions(requests=10e6, write_units=2))

    assert (plenty.usage.provisioned_write_unit_s, plenty.remarks) == (5 * MONTH_S, ())
    assert few.remarks == ("2 write units take at most 5,256,000 of these writes in a month: the others are refused.",)


def cell(design: str, mode: str = "on-demand", **options: int) -> Usage:
    return estimate(design, mode, **options).usage


def estimate(design: str, mode: str = "on-demand", **options: int) -> Estimate:
    return of_cell(Cell(design, mode, options), MILLION)


def test_each_design_passes_api_gateway_as_often_as_its_requests_do() -> None:
    assert [cell(design).gateway_requests for design in DESIGNS] == [3e6, 2e6, 1e6, 1e6]
    assert [cell(design).sns_publishes for design in DESIGNS] == [0, 0, 1e6, 1e6]
    assert [cell(design).sqs_sends for design in DESIGNS] == [0, 0, 0, 1e6]


def test_whoever_waits_for_an_answer_is_billed_for_the_wait() -> None:
    # 100 ms each: RequestRide, the fleet and the recorder; and RequestRide waits for the fleet, in the HTTP designs for
    # the recorder, too.
    assert [busy_s(cell(design)) for design in DESIGNS] == [500e3, 500e3, 400e3, 400e3]
    assert {invocations(cell(design)) for design in DESIGNS} == {3e6}


def test_each_ride_reads_the_unicorns_once_and_writes_one_record() -> None:
    assert {(cell(design).read_units, cell(design).write_units) for design in DESIGNS} == {(0.5e6, 1e6)}


def test_a_cells_own_settings_are_taken() -> None:
    assert cell("queued", "provisioned", write_units=5).provisioned_write_unit_s == 5 * MONTH_S
    assert cell("queued", "autoscaled", write_units=3).provisioned_write_unit_s == 3 * MONTH_S
    assert {function.memory_mb for function in cell("queued", memory_mb=512).functions.values()} == {512}
    few = of_cell(Cell("queued", "autoscaled", {"max_write_units": 2}), Assumptions(requests=10e6))
    assert few.usage.provisioned_write_unit_s == 2 * MONTH_S
    assert few.remarks


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' is no service; there are gateway, lambda, sns, sqs, table"),
        ("gateway,lamda", "'lamda' is no service"),
        ("lambda,table", "'table': only a table has a mode: table=provisioned|autoscaled|on-demand"),
        ("lambda,table=cheap", "'table=cheap': only a table has a mode"),
        ("lambda=128", "'lambda=128': only a table has a mode"),
        ("lambda,table=on-demand,sns", "nothing can come behind the table"),
        ("sns,table=on-demand", "only a lambda writes to a table"),
        ("sqs,sns", "only a lambda takes from sqs"),
    ],
)
def test_a_path_that_no_request_can_take_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(PathError) as error:
        parse_path(text)

    assert f"--path {text}: " in str(error.value)
    assert complaint in str(error.value)


def test_a_path_is_shown_as_it_is_walked() -> None:
    assert str(parse_path("sns, sqs,lambda,table=autoscaled")) == "sns > sqs > lambda > autoscaled table"
