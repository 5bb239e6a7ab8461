"""What the image is built from, and what breaks its build; and LocalStack's own image with our plug-ins."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import docker
import pytest

from tests.containers.project import ROOT

# The same tests as of a LocalStack that is a process: they ask for the fixture `own_localstack`.
from tests.integration.test_own_localstack import (  # noqa: F401
    test_a_function_runs_without_docker,
    test_a_table_is_throttled_by_its_capacity,
)

pytestmark = pytest.mark.timeout(900)

STAND_IN = "rydelab-test-localstack"
READY_TIMEOUT_S = 60


def build(folder: Path, *arguments: str, dockerfile: str | None = None) -> subprocess.CompletedProcess[str]:
    """Build an image; *dockerfile* is the text of one, else it is the folder's."""
    return subprocess.run(
        ["docker", "build", "--progress", "plain", *arguments, *(["-f", "-"] if dockerfile else []), "."],
        cwd=folder,
        env=os.environ | {"DOCKER_BUILDKIT": "1"},
        input=dockerfile,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_plugin_that_does_not_load_breaks_the_build(clone: Path, tmp_path: Path) -> None:
    copy = tmp_path / "rydelab"
    shutil.copytree(clone, copy, symlinks=True)
    pyproject = copy / "pyproject.toml"
    plugin = "rydelab.plugins.observation:serve_observation"
    pyproject.write_text(pyproject.read_text().replace(plugin, "rydelab.plugins.observation:absent"))

    built = build(copy)

    assert built.returncode != 0
    assert "localstack.hooks.on_infra_start:serve_observation (rydelab.plugins.observation:absent)" in built.stderr
    assert "does not load" in built.stderr


def documented_dockerfile() -> str:
    """Return the three lines of docs/containers.md, on the stand-in."""
    (lines,) = re.findall(r"```Dockerfile\n(.*?)```", (ROOT / "docs/containers.md").read_text(), re.DOTALL)
    assert len(lines.splitlines()) == 3
    return re.sub(r"^FROM localstack/localstack:4.14.0$", f"FROM {STAND_IN}", lines, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def own_localstack(clone: Path, engine: docker.DockerClient) -> Iterator[str]:
    """Run the image that the documentation's lines make."""
    image = build(clone, "-t", "rydelab")
    assert image.returncode == 0, image.stderr
    stand_in = build(ROOT / "tests/containers", "-t", STAND_IN, "-f", "localstack.Dockerfile")
    assert stand_in.returncode == 0, stand_in.stderr
    built = build(clone, "-t", f"{STAND_IN}-rydelab", dockerfile=documented_dockerfile())
    assert built.returncode == 0, built.stderr
    container = engine.containers.run(
        f"{STAND_IN}-rydelab",
        detach=True,
        init=True,
        ports={"4566/tcp": ("127.0.0.1", None)},
        environment={"GATEWAY_LISTEN": "0.0.0.0:4566", "DISABLE_EVENTS": "1", "SKIP_SSL_CERT_DOWNLOAD": "1"},
    )
    try:
        container.reload()
        (binding,) = container.ports["4566/tcp"]
        endpoint_url = f"http://127.0.0.1:{binding['HostPort']}"
        deadline = time.monotonic() + READY_TIMEOUT_S
        while b"Ready." not in (log := container.logs()):
            assert time.monotonic() < deadline, log.decode()
            time.sleep(0.2)
        with suppress(URLError, ConnectionError), urlopen(f"{endpoint_url}/_localstack/health"):  # noqa: S310 (loopback)
            pass
        yield endpoint_url
    finally:
        container.remove(force=True, v=True)
        for tag in (f"{STAND_IN}-rydelab", STAND_IN):
            engine.images.remove(tag)
