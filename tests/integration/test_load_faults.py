"""The faults of a scenario in a run of `rydelab compare`: they come, are told and drawn, and are gone afterwards."""

import json
import re
import signal
import time
from pathlib import Path

from rydelab import cli
from rydelab.lab.emulation.fault_control import FaultControl
from tests.integration.conftest import Lab
from tests.integration.test_load_compare import only_run, rydelab, saved

SCENARIO = """
warm_up_rides = 4
drain_s = 20
[[phases]]
duration_s = {duration_s}
arrivals_per_s = 10
[[cells]]
design = "event-driven"
table_mode = "on-demand"
[[faults]]
kind = "table-refused"
target = "RideRecordTable"
start_s = 1
length_s = {length_s}
[[faults]]
kind = "function-slow"
target = "PutRideRecord"
start_s = 2
length_s = {length_s}
delay_ms = 300
[[faults]]
kind = "queue-refused"
target = "RideQueue"
length_s = 1
"""


def test_faults_come_when_they_should_and_are_in_every_part_of_the_results(lab: Lab, tmp_path: Path) -> None:
    scenario = tmp_path / "faulty.toml"
    scenario.write_text(SCENARIO.format(duration_s=5, length_s=2))
    run = rydelab("compare", str(scenario), "--results", str(tmp_path / "results"), "--endpoint", lab.endpoint_url)
    table, progress = run.communicate(timeout=200)

    assert run.returncode == 0, progress
    folder = only_run(tmp_path)
    (cell,) = saved(folder)[0]["cells"]
    assert cell["rows"]["recorded"] == cell["arrivals"] == 50
    refused, slow, nowhere = cell["faults"]
    assert (refused["label"], slow["label"]) == ("RideRecordTable refuses", "PutRideRecordSns is slow")
    for fault, start_s in ((refused, 1), (slow, 2)):
        assert start_s <= fault["start_s"] < start_s + 1
        assert 1.9 < fault["end_s"] - fault["start_s"] < 2.1
        assert fault["hits"] > 0
    assert (nowhere["start_s"], nowhere["hits"]) == (None, 0)
    series = json.loads((folder / "series.json").read_text())["cells"][0]
    assert [(band["label"], band["start_s"]) for band in series["bands"]] == [
        ("RideRecordTable refuses", refused["start_s"]),
        ("PutRideRecordSns is slow", slow["start_s"]),
    ]
    for text in (table, (folder / "report.md").read_text(), (folder / "report.html").read_text()):
        words = " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
        assert "On purpose: RideRecordTable refuses, from 1 s to 3 s (" in words
        assert "RideQueue refuses, but not here, where there is no RideQueue" in words
    assert (folder / "report.html").read_text().count("PutRideRecordSns is slow") > 5  # its charts, too
    assert FaultControl(lab.endpoint_url).all()[0] == []


def test_a_run_that_is_stopped_takes_its_own_faults_back_and_no_others(lab: Lab, tmp_path: Path) -> None:
    scenario = tmp_path / "faulty.toml"
    scenario.write_text(SCENARIO.format(duration_s=30, length_s=600))
    run = rydelab("compare", str(scenario), "--results", str(tmp_path / "results"), "--endpoint", lab.endpoint_url)
    control = FaultControl(lab.endpoint_url)
    deadline = time.monotonic() + 100
    while len([one for one in control.all()[0] if one.state == "on"]) < 2:
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # A fault of somebody else, who calls the topic as its template does.
    (stage,) = re.findall(r"cell1-[0-9a-f]{4}", control.all()[0][0].target)
    start = ["fault", "start", "topic-refused", "RidesSnsTopic", "--length", "600", "--rate", "0"]
    assert cli.run([*start, "--stage", stage, "--endpoint", lab.endpoint_url], {}) == 0
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=100)

    assert run.returncode == 130
    assert [one.kind for one in control.all()[0]] == ["topic-refused"]
    control.stop()
