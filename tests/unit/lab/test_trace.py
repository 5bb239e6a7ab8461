"""Recorded traffic, in every shape that docs/simulator.md names."""

import json
from pathlib import Path

import pytest

from rydelab.lab.scenarios.trace import Trace, TraceError, read_trace


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_arrivals_per_minute_need_no_times(tmp_path: Path) -> None:
    path = written(tmp_path, "day.csv", "arrivals\n60\n0\n90.5\n")

    assert read_trace(path) == Trace((60.0, 0.0, 90.5), 60.0, "arrivals")


def test_times_give_the_period_and_the_order_and_gaps_are_empty(tmp_path: Path) -> None:
    rows = ["timestamp,sum", "2026-11-21T10:10:00Z,3", "2026-11-21T10:00:00+00:00,1", "2026-11-21T10:05:00,2"]
    rows.append("1795256400,4")  # 10:20 UTC

    assert read_trace(written(tmp_path, "day.csv", "\n".join(rows) + "\n")).counts[:3] == (1.0, 2.0, 3.0)
    at_ten_past = written(tmp_path, "gap.csv", "Timestamp,Sum\n1000000000000,1\n1000000060000,2\n1000000240000,5\n")
    assert read_trace(at_ten_past) == Trace((1.0, 2.0, 0.0, 0.0, 5.0), 60.0, "Sum")


def test_statistics_of_cloudwatch_come_in_any_order(tmp_path: Path) -> None:
    points = [
        {"Timestamp": "2026-11-21T10:05:00+00:00", "Sum": 7.0, "Unit": "Count"},
        {"Timestamp": "2026-11-21T10:00:00+00:00", "Sum": 5.0, "Unit": "Count"},
    ]
    document = {"Label": "ConsumedWriteCapacityUnits", "Datapoints": points}

    trace = read_trace(written(tmp_path, "units.json", json.dumps(document)))

    assert trace == Trace((5.0, 7.0), 300.0, "ConsumedWriteCapacityUnits")


def test_metric_data_of_cloudwatch_are_two_lists(tmp_path: Path) -> None:
    result = {
        "Id": "m1",
        "Label": "Count",
        "Timestamps": ["2026-11-21T10:01:00Z", "2026-11-21T10:00:00Z"],
        "Values": [9, 8],
    }

    trace = read_trace(written(tmp_path, "api.json", json.dumps({"MetricDataResults": [result]})))

    assert trace == Trace((8.0, 9.0), 60.0, "Count")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.csv", "arrivals\n", "must have a header and a row for each period"),
        ("a.csv", "visitors\n5\n", "has no column named arrivals, sum"),
        ("a.csv", "arrivals,sum\n5,6\n", "has more than one column named"),
        ("a.csv", "arrivals\n5\nmany\n", "line 3: 'many' is no number of at least 0"),
        ("a.csv", "arrivals\n-5\n", "line 2: '-5' is no number of at least 0"),
        ("a.csv", "arrivals\n5,6\n", "line 2: has 2 values, the header 1"),
        ("a.csv", "time,arrivals\nnoon,6\n", "line 2: 'noon' is no time: must be ISO 8601 or Unix time"),
        ("a.csv", "time,arrivals\n60,6\n60,7\n", "has 1970-01-01T00:01:00+00:00 more than once"),
        ("a.csv", "time,arrivals\n0,6\n1,6\n9999999,7\n", "has 10000000 periods of 1 s, more than 1000000"),
        ("a.json", "{", "not JSON"),
        ("a.json", "[]", "has neither Datapoints (get-metric-statistics) nor MetricDataResults (get-metric-data)"),
        ("a.json", '{"Datapoints": []}', "has no data points"),
        (
            "a.json",
            '{"Datapoints": [{"Timestamp": 0, "Average": 1}]}',
            "Datapoints[0]: must have a Timestamp and a Sum",
        ),
        ("a.json", '{"MetricDataResults": [{"Id": "a"}, {"Id": "b"}]}', "must have one metric, has 2 (a, b)"),
        ("a.json", '{"MetricDataResults": [{"Id": "a", "Timestamps": [1], "Values": []}]}', "of the same length"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str, complaint: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, text)

    with pytest.raises(TraceError) as caught:
        read_trace(path)

    assert str(caught.value).startswith(str(path))
    assert complaint in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none.csv: cannot be read: No such file"):
        read_trace(tmp_path / "none.csv")
