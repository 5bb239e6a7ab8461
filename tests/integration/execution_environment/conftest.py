"""Execution environments without LocalStack: ``function`` makes one from Python source, as a real process."""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from rydelab.workers.execution_environment import ExecutionEnvironment
from rydelab.workers.model import FunctionSpec, Invocation, LogEvent, Outcome
from rydelab.workers.spawner import Spawner

_numbers = itertools.count(1)


class Function:
    """One execution environment and what it has logged."""

    def __init__(self, environment: ExecutionEnvironment, log: list[LogEvent]) -> None:
        self.environment = environment
        self.log = log

    def invoke(self, event: object = None, **keywords: Any) -> Outcome:
        """Run one event, given as a JSON value."""
        invocation = Invocation(
            f"request-{next(_numbers)}", json.dumps(event).encode(), "arn:aws:lambda:us-east-1:000000000000:function:f"
        )
        return self.environment.invoke(invocation, **keywords)

    @property
    def process(self) -> psutil.Process:
        """The runtime process of this moment."""
        runtime = self.environment._process
        assert runtime is not None
        return psutil.Process(runtime._child.pid)

    @property
    def messages(self) -> list[str]:
        """Everything logged so far."""
        return [event.message for event in self.log]


FunctionFactory = Callable[..., Function]


@pytest.fixture(scope="package")
def spawner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spawner]:
    spawner = Spawner(tmp_path_factory.mktemp("spawner"))
    spawner.start()
    yield spawner
    spawner.stop()


@pytest.fixture
def function(spawner: Spawner, tmp_path: Path) -> Iterator[FunctionFactory]:
    """Make a started function of Python source that defines ``handler(event, context)``."""
    environments: list[ExecutionEnvironment] = []

    def make(source: str, files: Mapping[str, str] | None = None, **changes: Any) -> Function:
        number = next(_numbers)
        code_dir = tmp_path / f"code-{number}"
        code_dir.mkdir()
        for name, text in {"index.py": source, **(files or {})}.items():
            (code_dir / name).write_text(text)
        spec = FunctionSpec(
            name="f",
            version="$LATEST",
            handler="index.handler",
            code_dir=code_dir,
            timeout_s=3,
            memory_mb=256,
            environment={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "AWS_LAMBDA_FUNCTION_NAME": "f"},
        )
        log: list[LogEvent] = []
        environment = ExecutionEnvironment(
            replace(spec, **changes),
            spawner,
            runtime="python3.13",
            work_dir=tmp_path / f"work-{number}",
            log_sink=log.extend,
        )
        environments.append(environment)
        environment.start()
        return Function(environment, log)

    yield make
    for environment in environments:
        environment.stop()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Wait up to 5 s for a condition and tell whether it came true."""

    def wait(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 5
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return wait
