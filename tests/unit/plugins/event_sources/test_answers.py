import pytest

from rydelab.plugins.event_sources.answers import failed_messages

BATCH = frozenset({"a", "b", "c"})


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"null",
        b"{}",
        b"[]",
        b'""',
        b'{"batchItemFailures": []}',
        b'{"batchItemFailures": null}',
        b'{"other": 1}',
    ],
)
def test_an_answer_that_reports_nothing_is_a_whole_success(answer: bytes | None) -> None:
    assert failed_messages(answer, BATCH) == frozenset()


def test_what_is_reported_has_failed_and_nothing_else() -> None:
    answer = b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}'
    assert failed_messages(answer, BATCH) == {"a", "c"}


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        b'"text"',
        b"false",
        b"0",
        b"[1]",
        b'{"batchItemFailures": "a"}',
        b'{"batchItemFailures": {}}',
        b'{"batchItemFailures": ["a"]}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemIdentifier": 1}]}',
        b'{"batchItemFailures": [{"id": "a"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "unknown"}]}',
    ],
)
def test_an_answer_that_cannot_be_understood_is_a_whole_failure(answer: bytes) -> None:
    assert failed_messages(answer, BATCH) == BATCH
