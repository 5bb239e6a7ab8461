"""Faults planted in a load of ten rides, and the row in which each must show."""

import dataclasses

import pytest

from rydelab.lab.cells.ledger import ROWS, Answer, Evidence, Ledger, fate, settle
from rydelab.lab.cells.ride_ids import ride_ids_in

RIDES = [f"ride-{number}" for number in range(10)]
ACCEPTED = [Answer(number, accepted=True, ride_id=ride_id) for number, ride_id in enumerate(RIDES)]
ALL = frozenset(RIDES)


def refuse(answers: list[Answer], *arrivals: int) -> list[Answer]:
    return [Answer(a.arrival, accepted=False) if a.arrival in arrivals else a for a in answers]


def rows(ledger: Ledger) -> dict[str, int]:
    return {row: count for row in ROWS if (count := getattr(ledger, row))}


@pytest.mark.parametrize(
    ("answers", "evidence", "expected"),
    [
        pytest.param(ACCEPTED, Evidence(ALL), {"recorded": 10}, id="all is well"),
        pytest.param(ACCEPTED, Evidence(ALL - {"ride-3"}), {"recorded": 9, "lost": 1}, id="a record was deleted"),
        pytest.param(
            ACCEPTED,
            Evidence(ALL - {"ride-3"}, in_flight={"ride-3"}),
            {"recorded": 9, "in_flight": 1},
            id="an event is still under way",
        ),
        pytest.param(
            ACCEPTED,
            Evidence(ALL - {"ride-3"}, dead_lettered={"ride-3"}),
            {"recorded": 9, "dead_lettered": 1},
            id="an event was given up",
        ),
        pytest.param(
            refuse(ACCEPTED, 2, 5),
            Evidence(ALL - {"ride-2", "ride-5"}),
            {"refused": 2, "recorded": 8},
            id="errors without a record",
        ),
        pytest.param(
            refuse(ACCEPTED, 2, 5),
            Evidence(ALL - {"ride-5"}),
            {"refused": 1, "recorded": 8, "ghost": 1},
            id="an error that left a record behind",
        ),
        pytest.param(
            ACCEPTED,
            Evidence(ALL, dead_lettered={"ride-3"}, in_flight={"ride-3"}),
            {"recorded": 10},
            id="recorded at last, after its event had been given up",
        ),
        pytest.param(
            ACCEPTED,
            Evidence(ALL - {"ride-3"}, dead_lettered={"ride-3"}, in_flight={"ride-3"}),
            {"recorded": 9, "dead_lettered": 1},
            id="given up wins over still under way",
        ),
        pytest.param(
            refuse(ACCEPTED, *range(10)),
            Evidence(frozenset()),
            {"refused": 10},
            id="nobody was served, nothing was written",
        ),
        pytest.param(
            refuse(ACCEPTED, 4),
            Evidence(ALL - {"ride-4"}, dead_lettered={"ride-4", "somebody-else"}),
            {"refused": 1, "recorded": 9},
            id="a dead letter that nobody was promised is not a row",
        ),
        pytest.param([], Evidence(frozenset()), {}, id="no arrivals"),
    ],
)
def test_a_planted_fault_shows_in_its_row(answers: list[Answer], evidence: Evidence, expected: dict[str, int]) -> None:
    ledger = settle(started=len(answers), answers=answers, evidence=evidence)

    assert rows(ledger) == expected
    assert ledger.adds_up
    assert sum(expected.values()) == ledger.arrivals


@pytest.mark.parametrize(
    ("started", "answers", "recorded", "complaint"),
    [
        pytest.param(
            11, ACCEPTED, ALL, "11 arrivals were sent, but 10 outcomes were saved", id="an outcome was dropped"
        ),
        pytest.param(
            10,
            [*ACCEPTED[:9], Answer(9, accepted=True, ride_id="ride-8")],
            ALL - {"ride-9"},
            "more than one arrival was given: ride-8",
            id="RideId twice",
        ),
        pytest.param(
            11,
            [*ACCEPTED, Answer(9, accepted=True, ride_id="ride-10")],
            ALL | {"ride-10"},
            "more than one outcome: 9",
            id="an arrival twice",
        ),
        pytest.param(
            10,
            ACCEPTED,
            ALL | {"stranger"},
            "1 records belong to no accepted ride, but only 0",
            id="a record from nowhere",
        ),
    ],
)
def test_a_ledger_that_cannot_be_trusted_says_why(
    started: int, answers: list[Answer], recorded: frozenset[str], complaint: str
) -> None:
    ledger = settle(started=started, answers=answers, evidence=Evidence(recorded))

    assert not ledger.adds_up
    assert any(complaint in mismatch for mismatch in ledger.mismatches)


def test_rides_that_were_written_twice_are_counted_as_rewrites_and_move_no_row() -> None:
    writes = dict.fromkeys(RIDES, 1) | {"ride-1": 2, "ride-7": 5}

    ledger = settle(started=10, answers=ACCEPTED, evidence=Evidence(ALL, writes=writes))

    assert ledger.rewrites == 2
    assert rows(ledger) == {"recorded": 10}


def test_rewrites_are_unknown_unless_the_writes_were_counted() -> None:
    assert settle(started=10, answers=ACCEPTED, evidence=Evidence(ALL)).rewrites is None


def test_the_rows_of_single_arrivals_are_those_of_the_ledger() -> None:
    evidence = Evidence(ALL - {"ride-1", "ride-2", "ride-3"}, dead_lettered={"ride-1"}, in_flight={"ride-2"})
    answers = refuse(ACCEPTED, 0)
    without_ghost = dataclasses.replace(evidence, recorded=evidence.recorded - {"ride-0"})

    ledger = settle(started=10, answers=answers, evidence=without_ghost)
    fates = [fate(answer, without_ghost) for answer in answers]

    assert {row: fates.count(row) for row in ROWS if row in fates} == rows(ledger)


def test_an_error_that_names_its_ride_shows_which_arrival_left_the_ghost() -> None:
    answers = [*ACCEPTED[:8], Answer(8, accepted=False, ride_id="ride-8"), Answer(9, accepted=False, ride_id="ride-9")]
    evidence = Evidence(ALL - {"ride-9"})

    ledger = settle(started=10, answers=answers, evidence=evidence)

    assert rows(ledger) == {"refused": 1, "recorded": 8, "ghost": 1}
    assert [fate(answer, evidence) for answer in answers[8:]] == ["ghost", "refused"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param('{"RideId": "a", "Unicorn": {"Name": "Shadowfax"}}', {"a"}, id="the ride alone"),
        pytest.param('{"Type": "Notification", "Message": "{\\"RideId\\": \\"a\\"}"}', {"a"}, id="SNS's envelope"),
        pytest.param('{"Records": [{"Sns": {"Message": "{\\"RideId\\": \\"a\\"}"}}]}', {"a"}, id="Lambda's SNS event"),
        pytest.param(
            '{"Records": [{"body": "{\\"RideId\\": \\"a\\"}"}, {"body": "{\\"RideId\\": \\"b\\"}"}]}',
            {"a", "b"},
            id="Lambda's SQS event with two rides",
        ),
        pytest.param("not JSON", set(), id="not JSON"),
        pytest.param('"7"', set(), id="a number in a string"),
        pytest.param('{"RideId": 7}', set(), id="a RideId that is not a string"),
    ],
)
def test_a_ride_is_found_in_whatever_envelope_its_dead_letter_has(body: str, found: set[str]) -> None:
    assert ride_ids_in(body) == found
