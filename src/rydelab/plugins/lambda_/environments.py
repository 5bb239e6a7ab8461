"""The pool of execution environments, in the place of LocalStack's assignment service.

An idle environment is found in constant time, the one used last first, so that surplus ones grow old and are frozen
and at last ended by one thread that looks once a second.
"""

import contextlib
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from localstack import config
from localstack.services.lambda_.invocation.assignment import AssignmentException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType

from rydelab.plugins.lambda_.executor import ProcessEnvironment, spawner

LOG = logging.getLogger(__name__)
_LOOK_S: Final = 1.0
# AWS freezes an environment as soon as it has answered. Here that would cost every invocation; but what a function
# leaves running must not take the processor for long.
_FREEZE_AFTER_S: Final = 1.0


class EnvironmentPool:
    """All environments of this emulator, by version manager. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, dict[str, ProcessEnvironment]] = defaultdict(dict)
        self._idle: dict[tuple[str, str], list[ProcessEnvironment]] = defaultdict(list)
        self._provisioning = ThreadPoolExecutor(thread_name_prefix="lambda-provisioning")
        self._stopped = threading.Event()
        threading.Thread(target=self._look_after_idle, name="lambda-idle-expiry", daemon=True).start()

    @contextlib.contextmanager
    def get_environment(
        self, version_manager_id: str, function_version: FunctionVersion, provisioning_type: InitializationType
    ) -> Iterator[ProcessEnvironment]:
        """Lend an environment for one invocation; starts one if none is idle. An exception ends it."""
        environment = self._take_idle(version_manager_id, provisioning_type)
        if environment is None:
            if provisioning_type == InitializationType.provisioned_concurrency:
                raise AssignmentException("No provisioned concurrency environment available despite lease.")
            environment = self._start(version_manager_id, function_version, provisioning_type)
        try:
            yield environment
        except BaseException:
            self._discard(environment)
            raise
        self._give_back(environment)

    def count(self, version_manager_id: str) -> int:
        """Return how many environments a version has, busy or idle."""
        return len(self._all.get(version_manager_id, ()))

    def stop_environments_for_version(self, version_manager_id: str) -> None:
        """End the idle environments of a version now, and each busy one when its invocation ends, as on AWS."""
        with self._lock:
            self._all.pop(version_manager_id, None)
            keys = [key for key in self._idle if key[0] == version_manager_id]
            idle = [environment for key in keys for environment in self._idle.pop(key)]
        for environment in idle:
            environment.stop()

    def scale_provisioned_concurrency(
        self, version_manager_id: str, function_version: FunctionVersion, target_provisioned_environments: int
    ) -> list["Future[None]"]:
        """Start *target_provisioned_environments* anew and end the present ones; one future per step."""
        kind = InitializationType.provisioned_concurrency
        with self._lock:
            old = [e for e in self._all[version_manager_id].values() if e.initialization_type == kind]
            self._idle.pop((version_manager_id, kind), None)

        def start() -> None:
            self._give_back(self._start(version_manager_id, function_version, kind))

        starts = [self._provisioning.submit(start) for _ in range(target_provisioned_environments)]
        return [*starts, *(self._provisioning.submit(self._discard, environment) for environment in old)]

    def stop(self) -> None:
        """End everything, invocations too."""
        self._stopped.set()
        self._provisioning.shutdown(cancel_futures=True, wait=False)
        for version_manager_id in list(self._all):
            self.stop_environments_for_version(version_manager_id)
        spawner().stop()  # which kills what is still busy

    def _take_idle(self, version_manager_id: str, kind: InitializationType) -> ProcessEnvironment | None:
        with self._lock:
            idle = self._idle.get((version_manager_id, kind))
            if not idle:
                return None
            return idle.pop()

    def _start(
        self, version_manager_id: str, function_version: FunctionVersion, kind: InitializationType
    ) -> ProcessEnvironment:
        environment = ProcessEnvironment(function_version, kind, version_manager_id)
        with self._lock:
            self._all[version_manager_id][environment.id] = environment
        try:
            environment.start()
        except BaseException:
            self._discard(environment)
            raise
        return environment

    def _give_back(self, environment: ProcessEnvironment) -> None:
        environment.returned_at = time.monotonic()
        key = (environment.version_manager_id, environment.initialization_type)
        with self._lock:
            wanted = environment.id in self._all.get(environment.version_manager_id, {})
            if wanted:
                self._idle[key].append(environment)
        if not wanted:  # its version has gone in the meantime
            environment.stop()

    def _discard(self, environment: ProcessEnvironment) -> None:
        with self._lock:
            self._all.get(environment.version_manager_id, {}).pop(environment.id, None)
            idle = self._idle.get((environment.version_manager_id, environment.initialization_type), [])
            if environment in idle:
                idle.remove(environment)
        environment.stop()

    def _look_after_idle(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            now = time.monotonic()
            oldest_allowed = now - config.LAMBDA_KEEPALIVE_MS / 1000
            with self._lock:
                expired = [
                    environment
                    for (_, kind), idle in self._idle.items()
                    if kind == InitializationType.on_demand
                    for environment in idle
                    if environment.returned_at < oldest_allowed
                ]
                for environment in expired:
                    self._idle[(environment.version_manager_id, environment.initialization_type)].remove(environment)
                for idle in self._idle.values():
                    for environment in idle:
                        if environment.returned_at < now - _FREEZE_AFTER_S:
                            environment.freeze()  # under the lock: nobody may take it meanwhile
            for environment in expired:
                LOG.debug("rydelab: ending idle environment %s", environment.id)
                self._discard(environment)
