from typing import Any

import pytest

from rydelab.lab.cells.dead_letters import Contents, Letter, reason_of
from rydelab.lab.commands.dlq import DlqError, _number, described


def attribute(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            {"MessageAttributes": {"ErrorCode": attribute("200"), "ErrorMessage": attribute("no\n  unicorn")}},
            "200 no unicorn",
        ),
        ({"MessageAttributes": {"ErrorMessage": attribute("x" * 200)}}, "x" * 87 + "..."),
        (
            {"MessageAttributes": {"ErrorMessage": attribute("no"), "PoisonReason": attribute("it is not JSON")}},
            "it is not JSON",
        ),
        (
            {"Attributes": {"DeadLetterQueueSourceArn": "arn:aws:sqs:us-east-1:000000000000:rides"}},
            "received too often from rides",
        ),
        ({}, "none given"),
    ],
)
def test_a_letter_says_in_one_line_why_it_is_there(message: dict[str, Any], reason: str) -> None:
    assert reason_of(message) == reason


def test_contents_are_described_by_count_age_and_reason() -> None:
    letters = [Letter(1000.0, "throttled"), Letter(4000.0, "malformed"), Letter(2000.0, "throttled")]
    assert described(Contents(letters, hidden=4), now_s=4100.0) == (
        "3, sent 52 min to 100 s ago; 4 more are hidden, since somebody has just read them\n"
        "       2  throttled\n"
        "       1  malformed"
    )
    assert described(Contents([], hidden=0), now_s=0.0) == "0"


@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf", "many"])
def test_a_rate_that_is_none_is_refused_with_the_flag_and_the_value(given: str) -> None:
    with pytest.raises(DlqError, match=f"^--rate must be a number above 0, got '{given}'$"):
        _number("--rate", given, float)


def test_a_limit_is_a_whole_number() -> None:
    with pytest.raises(DlqError, match=r"^--limit must be a whole number of at least 1, got '1\.5'$"):
        _number("--limit", "1.5", int)
