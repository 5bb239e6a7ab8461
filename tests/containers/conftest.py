"""One project for all tests of this folder, from a clone of what is committed; left out loudly without an engine."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.containers.project import ROOT, Project, project, why_left_out

OWNER = 12345
"""Who has cloned, if root runs the tests: nobody that the image or this machine knows."""

TINY = """
warm_up_rides = 2
timeout_s = 10
drain_s = 10
[[phases]]
duration_s = 3
arrivals_per_s = 5
[[cells]]
design = "event-driven"
table_mode = "on-demand"
"""

LONG = (
    TINY.replace("duration_s = 3", "duration_s = 12")
    + """
[[cells]]
design = "direct-invoke"
table_mode = "on-demand"
"""
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the folder where there is no engine, unless CI says that there is one."""
    own = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    if own and (left_out := why_left_out()) is not None:
        for item in own:
            item.add_marker(pytest.mark.skip(reason=left_out))


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone what is committed, with two scenarios of a user's own, as a user who is not root."""
    folder = tmp_path_factory.mktemp("containers") / "rydelab"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    for name, text in (("tiny", TINY), ("long", LONG)):
        (folder / "loadtests" / "scenarios" / f"{name}.toml").write_text(text)
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, OWNER, OWNER, follow_symlinks=False)
    return folder


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def up(clone: Path) -> Iterator[Project]:
    """Run everything, as `docker compose up` does in a fresh clone."""
    with project(clone) as made:
        made.done("up", "--build", "--detach", "--wait")
        yield made
