"""How a comparison ends: exit status, JUnit XML, and what a resumed one takes over."""

import socket
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rydelab.lab.commands.compare import CompareError, Wishes, begin, compare, exit_status
from rydelab.lab.emulation.emulator import EmulatorError
from rydelab.lab.junit import render_junit
from rydelab.lab.results import RunFolder
from rydelab.lab.scenarios.toml_table import ScenarioError
from rydelab.report.latency import latency
from rydelab.report.summary import CellSummary, RunSummary, Saturation, ThresholdResult
from rydelab.settings import Settings

CELL = CellSummary(
    "queued",
    "provisioned",
    1,
    {"refused": 0, "recorded": 1, "dead_lettered": 0, "in_flight": 0, "lost": 0, "ghost": 0},
    0,
    (),
    latency([0.1]),
    0,
    0.05,
)
PASSED = replace(CELL, thresholds=(ThresholdResult("lost == 0", 0, passed=True),))
MISSED = replace(CELL, thresholds=(ThresholdResult("recorded > 1", 1, passed=False),))
LIMITED = replace(CELL, saturation=Saturation(limited=True, reasons=("the probe was slow",)))
WRONG = replace(CELL, mismatches=("1 is not 2",))


def run(*cells: CellSummary, failures: tuple[str, ...] = ()) -> RunSummary:
    return RunSummary("quick", "2026-11-20T09:05:07+00:00", cells=cells, failures=failures)


@pytest.mark.parametrize(
    ("summary", "strict", "interrupted", "status"),
    [
        pytest.param(run(PASSED), True, False, 0, id="all is well"),
        pytest.param(run(PASSED, MISSED), False, False, 1, id="a threshold is missed"),
        pytest.param(run(WRONG), False, False, 1, id="a ledger does not add up"),
        pytest.param(run(PASSED, failures=("x: gone",)), False, False, 1, id="a cell could not be run"),
        pytest.param(run(LIMITED), False, False, 0, id="the lab was the limit"),
        pytest.param(run(LIMITED), True, False, 3, id="the lab was the limit, and that matters"),
        pytest.param(run(LIMITED, MISSED), True, False, 1, id="a missed threshold comes first"),
        pytest.param(run(MISSED), True, True, 130, id="Ctrl-C comes before everything"),
    ],
)
def test_the_exit_status_says_how_it_ended(
    summary: RunSummary, *, strict: bool, interrupted: bool, status: int
) -> None:
    assert exit_status(summary, interrupted=interrupted, strict_saturation=strict) == status


def test_every_verdict_is_a_test_case() -> None:
    document = ET.fromstring(  # noqa: S314 (our own)
        render_junit(run(PASSED, MISSED, WRONG, LIMITED, failures=("x: the lab is gone",)), strict_saturation=True)
    )

    failed = [(case.get("name"), failure.get("message")) for case in document.iter("testcase") for failure in case]
    assert failed == [
        ("recorded > 1", "measured 1"),
        ("the ledger adds up", "1 is not 2"),
        ("the lab did not limit it", "the probe was slow"),
        ("x", "x: the lab is gone"),
    ]
    assert (document.get("tests"), document.get("failures"), document.get("errors")) == ("8", "3", "1")


def test_a_lab_that_was_the_limit_is_only_said_if_it_does_not_matter() -> None:
    document = ET.fromstring(render_junit(run(LIMITED), strict_saturation=False))  # noqa: S314 (our own)

    assert document.get("failures") == "0"
    assert "LIMITED BY THE LAB: the probe was slow" in "".join(document.itertext())


@pytest.mark.parametrize(
    ("wishes", "complaint"),
    [
        (Wishes(thresholds=["lost = 0"]), "--threshold 'lost = 0': must be"),
        (Wishes(thresholds=["direct-invoke:* lost == 0"]), "no cell is direct-invoke"),
        (Wishes(junit=Path("/nowhere/at/all.xml")), "all.xml: cannot be written: No such file"),
        (Wishes(resume=Path("/nowhere"), scenario="quick"), "SCENARIO quick: a run that is resumed has its own"),
        (Wishes(resume=Path("/nowhere"), cells="queued:*"), r"--cells queued:\*: a run that is resumed"),
    ],
)
def test_bad_input_is_told_before_anything_is_started(tmp_path: Path, wishes: Wishes, complaint: str) -> None:
    with pytest.raises(CompareError, match=complaint) as raised:
        compare(replace(wishes, results_dir=tmp_path), Settings(port=1))

    assert raised.value.exit_status == 2


def test_a_cell_that_the_lab_limited_is_run_again_only_if_that_matters(tmp_path: Path) -> None:
    begun = begin(Wishes(scenario="quick", cells="queued:provisioned", results_dir=tmp_path))
    folder = RunFolder.create(tmp_path, name="quick", started=datetime.fromisoformat(begun.plan.started_at))
    folder.save_plan(begun.plan, begun.scenario, scenario_file=begun.scenario_file, settings={})
    folder.save(run(LIMITED), (), table="")
    wishes = Wishes(resume=folder.path)

    with socket.socket() as other_program:
        other_program.bind(("127.0.0.1", 0))
        port = other_program.getsockname()[1]
        settings = Settings(port=port, endpoint_url=f"http://127.0.0.1:{port}", data_dir=tmp_path)
        assert compare(wishes, settings) == 0  # without a lab
        with pytest.raises(EmulatorError, match="another program uses it"):  # it would need one
            compare(replace(wishes, strict_saturation=True), settings)


def test_an_unknown_scenario_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no scenario 'quik'"):
        compare(Wishes(scenario="quik", results_dir=tmp_path), Settings(port=1))
