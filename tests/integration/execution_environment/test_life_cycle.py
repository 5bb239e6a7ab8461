"""Warm reuse, freezing, replacement and end of environments and of the process they are forked from."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from rydelab.workers.execution_environment import ExecutionEnvironment
from rydelab.workers.model import FunctionSpec, Invocation
from rydelab.workers.spawner import Spawner

FunctionFactory = Callable[..., Any]
Eventually = Callable[[Callable[[], bool]], bool]


def test_a_warm_environment_keeps_its_process_and_its_globals(function: FunctionFactory) -> None:
    f = function(
        "import os\ncalls = []\n"
        "def handler(event, context):\n    calls.append(1)\n    return [os.getpid(), len(calls)]\n"
    )
    (first, one), (second, two) = json.loads(f.invoke().payload), json.loads(f.invoke().payload)
    assert first == second
    assert (one, two) == (1, 2)


def test_temporary_files_last_as_long_as_the_environment(function: FunctionFactory) -> None:
    f = function(
        "import os, tempfile\ndef handler(event, context):\n    if event: os._exit(1)\n"
        "    open(tempfile.gettempdir() + '/kept', 'a').write('x')\n"
        "    return open(tempfile.gettempdir() + '/kept').read()\n"
    )
    assert f.invoke().payload == b'"x"'
    f.invoke("exit")
    assert f.invoke().payload == b'"xx"'
    work_dir = f.environment._temp_dir
    f.environment.stop()
    assert not work_dir.exists()


def test_a_frozen_environment_does_nothing_until_its_next_invocation(
    function: FunctionFactory, eventually: Eventually
) -> None:
    f = function(
        "import threading, time\nticks = 0\n"
        "def count():\n    global ticks\n    while True:\n        ticks += 1\n        time.sleep(0.001)\n"
        "threading.Thread(target=count, daemon=True).start()\n"
        "def handler(event, context): return ticks\n"
    )
    process = f.process
    f.environment.freeze()
    assert eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    used_s = process.cpu_times().user
    assert f.invoke().failure is None
    assert process.status() != psutil.STATUS_STOPPED
    assert process.cpu_times().user - used_s < 0.5


def test_a_frozen_environment_can_be_ended(function: FunctionFactory) -> None:
    f = function("def handler(event, context): return 1")
    process = f.process
    f.environment.freeze()
    f.environment.stop()
    assert not process.is_running()


def test_a_new_warm_parent_takes_the_place_of_one_that_died(function: FunctionFactory, eventually: Eventually) -> None:
    f = function("import os\ndef handler(event, context): return os.getppid()")
    parent_pid = int(f.invoke().payload)
    process = f.process
    os.kill(parent_pid, 9)
    assert eventually(lambda: not process.is_running())  # it dies with the parent
    outcome = f.invoke()
    assert outcome.failure is None
    assert int(outcome.payload) != parent_pid


def test_ending_the_spawner_ends_every_process(tmp_path: Path, eventually: Eventually) -> None:
    spawner = Spawner(tmp_path / "spawner")
    (tmp_path / "index.py").write_text(
        "import os, subprocess\n"
        "subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "def handler(event, context): return os.getppid()"
    )
    spec = FunctionSpec("f", "1", "index.handler", tmp_path, 3, 128, {})
    environment = ExecutionEnvironment(spec, spawner, runtime="python3.13", work_dir=tmp_path / "work")
    environment.start()
    parent = psutil.Process(int(environment.invoke(Invocation("1", b"{}", "arn")).payload))
    below = parent.children(recursive=True)
    assert len(below) == 2
    spawner.stop()
    environment.stop()
    assert eventually(lambda: not any(process.is_running() for process in [parent, *below]))
