"""docker-compose.yml as a project of its own: a name and ports that nothing else has, and nothing left at the end.

What Compose does, its command does; what came of it is asked of the engine, by the package ``docker``.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 600
REQUIRED = "RYDELAB_REQUIRE_ENGINE"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Project:
    """One Compose project of the files in *folder*."""

    folder: Path
    engine: docker.DockerClient
    name: str = field(default_factory=lambda: f"rydelab-test-{secrets.token_hex(4)}")
    port: int = field(default_factory=_free_port)
    web_port: int = field(default_factory=_free_port)

    @property
    def endpoint_url(self) -> str:
        """The lab, from this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def web_page(self) -> str:
        """Locust's page, from this machine."""
        return f"http://127.0.0.1:{self.web_port}"

    def compose(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``docker compose`` in the project, to its end, whatever that is."""
        return subprocess.run(
            self._command(arguments),
            cwd=self.folder,
            env=self._environ | variables,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Begin to run ``docker compose`` in the project; standard error goes where standard output goes."""
        process = subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return ["docker", "compose", "--ansi", "never", "--project-name", self.name, *arguments]

    @property
    def _environ(self) -> dict[str, str]:
        # Nothing of this test run's own environment may help.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("RYDELAB_", "COMPOSE_"))}
        return own | {"RYDELAB_PORT": str(self.port), "RYDELAB_WEB_PORT": str(self.web_port)}

    def done(self, *arguments: str, **variables: str) -> str:
        """As `compose`, of what must succeed; returns what it printed to standard output."""
        run = self.compose(*arguments, **variables)
        assert run.returncode == 0, f"docker compose {' '.join(arguments)}\n{run.stdout}\n{run.stderr}"
        return run.stdout

    def containers(self, service: str | None = None) -> list[Any]:
        """Return the containers of *service*, or all, also those that have ended."""
        labels = [f"com.docker.compose.project={self.name}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        found: list[Any] = self.engine.containers.list(all=True, filters={"label": labels})
        return found

    def container(self, service: str) -> Any:
        """Return the one container of *service*, as it is now."""
        (only,) = self.containers(service)
        return only

    def leftovers(self) -> list[Any]:
        """Return every container, network and volume of the project."""
        labels = {"label": f"com.docker.compose.project={self.name}"}
        return [
            *self.containers(),
            *self.engine.networks.list(filters=labels),
            *self.engine.volumes.list(filters=labels),
        ]

    def down(self) -> None:
        """Remove it, in whatever state it is."""
        self.done("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "3")


def why_left_out() -> str | None:
    """Say why the tests that need an engine are left out here; None if they are not, as where CI says it has one."""
    missing = None if REQUIRED in os.environ else missing_engine()
    return missing and f"THE CONTAINER TIER IS LEFT OUT: {missing}"


def missing_engine() -> str | None:
    """Say what is missing to run containers here; None if nothing is."""
    if shutil.which("docker") is None:
        return "there is no command docker"
    for command, missing in ((["info"], "no container engine answers"), (["compose", "version"], "no Compose v2")):
        if subprocess.run(["docker", *command], capture_output=True, check=False).returncode != 0:
            return missing
    return None


@contextmanager
def project(folder: Path) -> Iterator[Project]:
    """Yield a project of the clone in *folder*; nothing of it is left afterwards, whatever happens."""
    # A run that is told to end, by CI at its time limit say, ends as with Ctrl-C: what is below is done.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = docker.from_env()
    made = Project(folder, engine)
    try:
        yield made
    finally:
        try:
            made.down()
        finally:
            engine.close()
            signal.signal(signal.SIGTERM, before)


@contextmanager
def lab_in_a_container(shared_dir: Path) -> Iterator[str]:
    """Run the lab of docker-compose.yml, built from this working tree, and yield its endpoint.

    It has *shared_dir* under the same path.
    """
    if (left_out := why_left_out()) is not None:
        pytest.skip(left_out)
    with project(ROOT) as lab:
        shared_dir.chmod(0o711)  # the container's user is another one
        files = ("--file", "docker-compose.yml", "--file", "tests/containers/shared-dir.yml")
        lab.done(*files, "up", "--build", "--wait", "localstack", RYDELAB_TEST_SHARED_DIR=str(shared_dir))
        yield lab.endpoint_url
