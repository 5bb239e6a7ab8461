import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rydelab.report.folder import RunFolderError, read_run, series_document
from rydelab.report.run import Setup
from rydelab.report.series import CellSeries, Outcome
from rydelab.report.summary import CellId
from tests.unit.report.made_up_run import made_up_run, only, save

QUEUED = CellId("queued", "provisioned")
OUTCOMES = [
    Outcome(due_s=0.0, latency_s=0.25, accepted=True, recorded_s=2.5),
    Outcome(due_s=1.0, latency_s=0.25, accepted=False),
]


def test_a_run_that_was_saved_is_read_back_the_same(tmp_path: Path) -> None:
    run = made_up_run(load_s=30, drain_s=30, repeats=2)
    save(run, tmp_path)

    assert read_run(tmp_path) == run


def test_columns_that_nobody_saved_are_counted_from_the_requests(tmp_path: Path) -> None:
    run = only(made_up_run(load_s=10, drain_s=10), "queued", table_modes=("provisioned",))
    backlog_only = {QUEUED: CellSeries(QUEUED, backlog=(3, 2, 1))}
    save(replace(run, series=backlog_only), tmp_path, requests=[(QUEUED, OUTCOMES)])

    series = read_run(tmp_path).series[QUEUED]

    assert series.backlog == (3, 2, 1)
    assert (series.arrivals, series.accepted, series.recorded) == ((1, 1), (1,), (0, 0, 1))
    assert series.p99_ms == (250,)


def test_repeats_and_variants_in_the_requests_are_told_apart(tmp_path: Path) -> None:
    run = only(made_up_run(load_s=10, drain_s=10), "queued")
    more_units = replace(QUEUED, variant="write_units=5")
    save(
        replace(run, series={}),
        tmp_path,
        requests=[(QUEUED, OUTCOMES), (replace(QUEUED, repeat=2), OUTCOMES[:1]), (more_units, OUTCOMES[1:])],
    )

    series = read_run(tmp_path).series

    assert {cell: sum(value or 0 for value in one.arrivals) for cell, one in series.items()} == {
        QUEUED: 2,
        replace(QUEUED, repeat=2): 1,
        more_units: 1,
    }


def test_requests_for_a_unicorn_are_no_rides(tmp_path: Path) -> None:
    save(replace(only(made_up_run(load_s=10, drain_s=10), "queued"), series={}), tmp_path)
    (tmp_path / "requests.csv").write_text(
        "design,table_mode,due_s,latency_s,error,kind\n"
        "queued,provisioned,0.0,0.1,,ride\nqueued,provisioned,0.1,0.1,,unicorn\nqueued,provisioned,0.2,0.1,,record\n"
    )

    assert read_run(tmp_path).series[QUEUED].arrivals == (2,)


def test_a_run_of_which_only_the_summary_is_left_can_be_read(tmp_path: Path) -> None:
    run = made_up_run(load_s=10, drain_s=10)
    save(run, tmp_path)
    (tmp_path / "run.json").unlink()
    (tmp_path / "series.json").unlink()

    bare = read_run(tmp_path)

    assert bare.summary == run.summary
    assert bare.series == {}
    assert bare.setup == Setup()


def test_a_summary_from_before_time_was_measured_can_be_read(tmp_path: Path) -> None:
    cell = {
        "design": "queued",
        "table_mode": "on-demand",
        "arrivals": 1,
        "rows": {"refused": 0, "recorded": 1, "dead_lettered": 0, "in_flight": 0, "lost": 0, "ghost": 0},
        "rewrites": None,
        "mismatches": [],
        "latency": {"count": 1, "p50_ms": 17.3, "p95_ms": 17.3, "p99_ms": 17.3, "max_ms": 17.3},
        "late_starts": 0,
        "late_start_s": 0.05,
        "something_new": 1,
    }
    write(tmp_path, {"name": "quick", "started_at": "2026-11-21T02:47:21+00:00", "cells": [cell], "adds_up": True})

    (read,) = read_run(tmp_path).summary.cells

    assert (read.arrivals, read.throttles, read.saturation, read.repeat) == (1, None, None, 1)


@pytest.mark.parametrize(
    ("summary", "complaint"),
    [
        ([], "summary = []: must be an object"),
        ({"name": "quick", "cells": []}, "summary.started_at is missing"),
        ({"name": 7, "started_at": "", "cells": []}, "summary.name = 7: must be a text"),
        ({"name": "", "started_at": "", "cells": [3]}, "summary.cells[0] = 3: must be an object"),
        (
            {"name": "", "started_at": "", "cells": [{"design": "", "table_mode": "", "arrivals": True}]},
            "summary.cells[0].arrivals = True: must be a whole number",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_place(tmp_path: Path, summary: Any, complaint: str) -> None:
    write(tmp_path, summary)

    with pytest.raises(RunFolderError) as error:
        read_run(tmp_path)

    assert str(error.value) == f"{tmp_path}: {complaint}"


def test_a_folder_or_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"nowhere: there is no such folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(RunFolderError, match=r"summary\.json: cannot be read"):
        read_run(tmp_path)


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{")

    with pytest.raises(RunFolderError, match=r"summary\.json: not JSON"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("design,table_mode,due_s,latency_s\n", "column error is missing"),
        ("design,table_mode,due_s,latency_s,error\nqueued,provisioned,soon,0.1,\n", "could not convert"),
        ("design,table_mode,due_s,latency_s,error\nqueued,provisioned,0.1\n", "out of range"),
    ],
)
def test_requests_that_cannot_be_read_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    save(replace(made_up_run(load_s=10, drain_s=10), series={}), tmp_path)
    (tmp_path / "requests.csv").write_text(text)

    with pytest.raises(RunFolderError, match=rf"requests\.csv: .*{complaint}"):
        read_run(tmp_path)


def test_the_series_document_is_plain_json() -> None:
    run = made_up_run(load_s=10, drain_s=10)

    document = series_document(tuple(run.series.values()))

    assert json.loads(json.dumps(document))["cells"][0]["cell"]["design"] == "microservices"


def write(folder: Path, summary: Any) -> None:
    (folder / "summary.json").write_text(json.dumps(summary))
