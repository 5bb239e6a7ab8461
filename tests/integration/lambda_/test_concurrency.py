"""Environments side by side, reserved concurrency, and changes to a function while it runs."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GATE = """
import os, time
NAME = {name!r}
def handler(event, context):
    if event:
        started, gate = event
        open(started, "w").close()
        while not os.path.exists(gate):
            time.sleep(0.01)
        import late
    return [NAME, os.getpid()]
"""


class Call:
    """An invocation that has begun, in a thread of its own, and waits until ``finish``."""

    def __init__(self, functions: Any, name: str, directory: Path) -> None:
        self.started, self.gate = directory / f"{id(self)}.started", directory / f"{id(self)}.gate"
        self._answers: list[Any] = []
        event = [str(self.started), str(self.gate)]
        self._thread = threading.Thread(target=lambda: self._answers.append(functions.invoke(name, event)))
        self._thread.start()
        functions.eventually(self.started.exists)

    def finish(self) -> Any:
        """Let it go on, and return its answer."""
        self.gate.touch()
        self._thread.join(10)
        [answer] = self._answers
        return answer


@pytest.fixture
def gated(functions: Any, shared_dir: Path) -> Callable[[str], Call]:
    """Begin an invocation of a function whose handler waits."""
    return lambda name: Call(functions, name, shared_dir)


def source(name: str) -> str:
    return GATE.format(name=name)


def create(functions: Any, name: str, **configuration: Any) -> str:
    function: str = functions.create(source(name), files={"late.py": ""}, **configuration)
    return function


def test_one_environment_serves_one_invocation_after_another(functions: Any) -> None:
    name = create(functions, "f")
    assert len({functions.invoke(name).payload[1] for _ in range(5)}) == 1


def test_invocations_at_the_same_time_have_environments_of_their_own(functions: Any, gated: Any) -> None:
    name = create(functions, "f")
    calls = [gated(name) for _ in range(3)]
    pids = {call.finish().payload[1] for call in calls}
    assert len(pids) == 3
    assert functions.invoke(name).payload[1] in pids


def test_an_environment_that_failed_is_replaced(functions: Any) -> None:
    name = functions.create(
        "import os\ndef handler(event, context):\n    if event: os._exit(1)\n    return os.getpid()\n"
    )
    before = functions.invoke(name).payload
    functions.invoke(name, "exit")
    after = functions.invoke(name).payload
    assert isinstance(after, int)
    assert after != before


def test_more_than_the_reserved_concurrency_is_refused(functions: Any, gated: Any) -> None:
    name = create(functions, "f")
    client = functions.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    calls = [gated(name), gated(name)]
    refusal = functions.refusal(client.invoke, FunctionName=name)
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert refusal["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert refusal["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refusal["Type"] == "User"
    for call in calls:
        assert call.finish().error is None
    assert functions.invoke(name).error is None


def test_reserved_concurrency_zero_refuses_everything_until_it_is_taken_away(functions: Any) -> None:
    name = create(functions, "f")
    client = functions.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert functions.refusal(client.invoke, FunctionName=name)["Error"]["Code"] == "TooManyRequestsException"
    client.delete_function_concurrency(FunctionName=name)
    assert functions.invoke(name).error is None


def test_an_invocation_that_runs_ends_on_the_code_it_began_with(functions: Any, gated: Any) -> None:
    name = create(functions, "old")
    call = gated(name)
    functions.update_code(name, source("new"))
    assert functions.invoke(name).payload[0] == "new"
    answer = call.finish()
    assert answer.error is None  # even what it imports after the update is there
    assert answer.payload[0] == "old"
    assert functions.invoke(name).payload[0] == "new"


def test_new_settings_hold_for_new_invocations_only(functions: Any, gated: Any) -> None:
    name = functions.create(
        "import os, time\ndef handler(event, context):\n"
        "    if event:\n        open(event[0], 'w').close()\n"
        "        while not os.path.exists(event[1]): time.sleep(0.01)\n"
        "    return os.environ['STAGE']\n",
        Environment={"Variables": {"STAGE": "dev"}},
    )
    call = gated(name)
    functions.client("lambda").update_function_configuration(
        FunctionName=name, Environment={"Variables": {"STAGE": "prod"}}
    )
    functions.wait_until_ready(name)
    assert functions.invoke(name).payload == "prod"
    assert call.finish().payload == "dev"


def test_updates_under_load_cost_no_invocation(functions: Any) -> None:
    name = functions.create("def handler(event, context): return 0")
    stopped = threading.Event()
    answers: list[Any] = []

    def load() -> None:
        while not stopped.is_set():
            answers.append(functions.invoke(name))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 5):
        functions.update_code(name, f"def handler(event, context): return {number}")
        functions.eventually(lambda expected=number: answers and answers[-1].payload == expected)
    stopped.set()
    for thread in threads:
        thread.join(10)
    assert {answer.error for answer in answers} == {None}
    assert {answer.payload for answer in answers} == {0, 1, 2, 3, 4}


def test_a_function_that_is_deleted_while_it_runs_still_answers(functions: Any, gated: Any) -> None:
    name = functions.create(
        "import os, time\ndef handler(event, context):\n"
        "    open(event[0], 'w').close()\n"
        "    while not os.path.exists(event[1]): time.sleep(0.01)\n"
        "    return 'done'\n"
    )
    call = gated(name)
    client = functions.client("lambda")
    client.delete_function(FunctionName=name)
    functions.eventually(lambda: name not in [entry["FunctionName"] for entry in client.list_functions()["Functions"]])
    refusal = functions.refusal(client.invoke, FunctionName=name)
    assert refusal["Error"]["Code"] == "ResourceNotFoundException"
    assert call.finish().payload == "done"


def test_provisioned_environments_are_started_before_they_are_needed(functions: Any) -> None:
    name = functions.create(
        "import os, time\nstarted = time.time()\n"
        "def handler(event, context): return [os.environ['AWS_LAMBDA_INITIALIZATION_TYPE'], started]\n"
    )
    client = functions.client("lambda")
    version = {"FunctionName": name, "Qualifier": client.publish_version(FunctionName=name)["Version"]}
    client.put_provisioned_concurrency_config(**version, ProvisionedConcurrentExecutions=1)
    functions.eventually(lambda: client.get_provisioned_concurrency_config(**version)["Status"] == "READY")
    ready_at = time.time()
    kind, started = functions.invoke(name, Qualifier=version["Qualifier"]).payload
    assert kind == "provisioned-concurrency"
    assert started < ready_at
