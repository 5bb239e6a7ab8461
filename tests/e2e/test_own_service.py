"""docs/own-service.md, done: its files are written to an empty folder, and its commands run there in their order."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.conftest import free_port

PAGE = (Path(__file__).parents[2] / "docs" / "own-service.md").read_text(encoding="utf-8")

FILES = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
SESSION = "".join(re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^\$ (.+)$", SESSION, re.MULTILINE)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Yield the environment of a person with an activated .venv and an empty folder; leave no lab behind."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RYDELAB_PORT": str(free_port()),
        "RYDELAB_DATA_DIR": str(tmp_path / "lab"),
    }
    environment["RYDELAB_ENDPOINT"] = f"http://127.0.0.1:{environment['RYDELAB_PORT']}"
    yield environment
    subprocess.run(["rydelab", "down"], env=environment, cwd=tmp_path, check=True, capture_output=True, timeout=60)


def test_what_the_page_says_is_what_happens(tmp_path: Path, environment: Mapping[str, str]) -> None:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")

    runs = {
        command: subprocess.run(
            ["sh", "-c", command],  # as they stand on the page, with their variables
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        for command in COMMANDS
    }

    loads = {command: run for command, run in runs.items() if command.startswith("rydelab load")}
    provisioned, on_demand = loads.values()
    # A busy machine sends late, and the table earns a unit a second: a few orders more may pass than on the page.
    assert provisioned.returncode == 1
    assert (passed := _row(provisioned.stdout, "order"))[0] == 400
    assert 320 <= passed[1] <= 330
    assert passed[1] + passed[2] == 400
    assert f"  {passed[2]} x order: 503 too many orders at once" in provisioned.stdout
    assert "TableWriteProvisionedThroughputExceeded" in provisioned.stdout
    assert _row(on_demand.stdout, "order")[:3] == (400, 400, 0)
    for load in loads.values():
        assert _row(load.stdout, "menu")[:3] == (100, 100, 0)
        assert load.stdout.split("function ")[1].split()[-4:] == ["500", "0", "0", "0"]

    # The tables on the page are those that it prints.
    headings = {tuple(line.split()) for line in re.findall(r"^(?:request|table|function) .*$", SESSION, re.MULTILINE)}
    for load in loads.values():
        assert headings <= {tuple(line.split()) for line in load.stdout.splitlines()}

    others = {command: run for command, run in runs.items() if run is not provisioned}
    assert {command: run.stderr for command, run in others.items() if run.returncode} == {}
    assert "menu" in next(run for command, run in runs.items() if " locust " in command).stderr
    assert "Stopped the lab" in runs["rydelab down"].stdout


def _row(text: str, name: str) -> tuple[int, ...]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
    return tuple(int(word.replace(",", "")) for word in line.split()[1:4])
