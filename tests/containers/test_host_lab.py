"""Tools in containers, and the lab a process of this machine, on its 127.0.0.1."""

import json
from pathlib import Path

import pytest

from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.containers.project import project

pytestmark = pytest.mark.timeout(900)

FILES = ("--file", "docker-compose.yml", "--file", "docker-compose.host-lab.yml")


def test_a_comparison_in_a_container_uses_the_lab_of_the_machine(clone: Path, tmp_path: Path) -> None:
    with project(clone) as tools:
        settings = Settings(port=tools.port, data_dir=tmp_path, endpoint_url=tools.endpoint_url, enforce_iam=True)
        with emulator.start(settings):
            said = tools.compose(*FILES, "run", "--rm", "--no-TTY", "compare", "tiny")

        assert said.returncode == 0, said.stderr
        assert f"Using the lab that runs at http://127.0.0.1:{tools.port}" in said.stderr + said.stdout
        assert tools.containers("localstack") == []
    (run, *_) = sorted((clone / "results").glob("*-tiny"), reverse=True)
    (cell,) = json.loads((run / "summary.json").read_text())["cells"]
    assert cell["rows"]["recorded"] == 15
