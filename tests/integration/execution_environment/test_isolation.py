"""Functions that misbehave, and the others that must not notice."""

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from rydelab.workers import landlock, runtime_process
from rydelab.workers.model import Failure
from rydelab.workers.output import MAX_EVENT_BYTES

FunctionFactory = Callable[..., Any]
Eventually = Callable[[Callable[[], bool]], bool]

# What docs/fidelity.md says of older kernels: the tests hold there too.
KERNEL_CONFINES = landlock.abi_version() >= landlock.FIRST_ABI
KERNEL_KEEPS_SIGNALS_IN = landlock.abi_version() >= landlock.ABI_WITH_SIGNAL_SCOPE

GOOD = "import os\ndef handler(event, context): return os.getpid()"


@pytest.fixture
def neighbour(function: FunctionFactory) -> Iterator[None]:
    """Watch over a well-behaved function: what the test does must not cost it its process."""
    good = function(GOOD)
    pid = good.invoke().payload
    yield
    outcome = good.invoke()
    if KERNEL_KEEPS_SIGNALS_IN:
        assert outcome.failure is None
        assert outcome.payload == pid
    else:
        assert good.invoke().failure is None


pytestmark = pytest.mark.usefixtures("neighbour")


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGKILL"])
def test_a_function_cannot_end_the_process_that_it_was_forked_from(function: FunctionFactory, signal_name: str) -> None:
    f = function(f"import os, signal\ndef handler(event, context): os.kill(os.getppid(), signal.{signal_name})")
    error = json.loads(f.invoke().payload)
    if KERNEL_KEEPS_SIGNALS_IN:
        assert (error["errorType"], error["errorMessage"]) == ("PermissionError", "[Errno 1] Operation not permitted")


def test_a_function_can_signal_its_own_processes(function: FunctionFactory) -> None:
    f = function(
        "import subprocess\n"
        "def handler(event, context):\n"
        "    child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "    child.terminate()\n"
        "    return child.wait()\n"
    )
    assert f.invoke().payload == b"-15"


def test_a_function_cannot_read_the_environment_of_another_or_of_its_subprocesses(function: FunctionFactory) -> None:
    owner = function(
        "import subprocess\ndef handler(event, context): return subprocess.Popen(['sleep', '60']).pid\n",
        environment={"PASSWORD": "Shadowfax-7"},
    )
    child_pid = int(owner.invoke().payload)
    thief = function(
        "import os, pathlib\n"
        "def handler(event, context):\n"
        "    found = []\n"
        "    for process in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "        try:\n"
        "            found.append(b'Shadowfax-7' in (process / 'environ').read_bytes())\n"
        "        except OSError:\n"
        "            pass\n"
        "    return [any(found), os.path.exists(f'/proc/{event}')]\n"
    )
    assert b"Shadowfax-7" in Path(f"/proc/{child_pid}/environ").read_bytes()  # the test itself may
    assert json.loads(thief.invoke(child_pid).payload) == [not KERNEL_CONFINES, True]


def test_a_function_can_write_to_tmp_only(function: FunctionFactory) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as elsewhere:
        f = function(
            "import tempfile\n"
            "def handler(event, context):\n"
            "    with tempfile.NamedTemporaryFile(dir=event) as file:\n"
            "        return file.name\n"
        )
        assert json.loads(f.invoke(None).payload).startswith(str(f.environment._temp_dir))
        assert json.loads(f.invoke("/tmp").payload).startswith("/tmp/")  # noqa: S108
        if KERNEL_CONFINES:
            assert json.loads(f.invoke(elsewhere).payload)["errorType"] == "PermissionError"


def test_endless_output_costs_neither_the_others_time_nor_memory(function: FunctionFactory) -> None:
    loud = function("def handler(event, context):\n    while True: print('ride ' * event)", timeout_s=1)
    quiet = function(GOOD)
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(loud.invoke(1)))
    cpu_before_s = time.process_time()
    thread.start()
    waits_s: list[float] = []
    while thread.is_alive():
        begun = time.monotonic()
        quiet.invoke()
        waits_s.append(time.monotonic() - begun)
        time.sleep(0.05)
    thread.join()
    assert outcomes[0].failure is Failure.TIMEOUT
    assert time.process_time() - cpu_before_s < 0.7
    assert sorted(waits_s)[len(waits_s) // 2] < 0.1
    assert len(outcomes[0].log) < 30_000
    assert (
        "[rydelab] output of an invocation beyond 16777216 bytes or 20000 lines is not kept\n" in outcomes[0].log_tail
    )


@pytest.mark.parametrize("closing", ["os.close(1); os.close(2)", "os.closerange(0, 1024)"])
def test_a_function_that_closes_its_output_still_answers(function: FunctionFactory, closing: str) -> None:
    f = function(f"import os\ndef handler(event, context):\n    {closing}\n    return 'answered'\n")
    assert f.invoke().payload == b'"answered"'


def test_a_handler_that_returns_in_two_processes_spoils_only_its_own_invocation(function: FunctionFactory) -> None:
    # Both speak on one connection, so that what arrives may be anything; it has to come to an end.
    f = function("import os\ndef handler(event, context):\n    os.fork()\n    return 'forked'\n", timeout_s=1)
    assert f.invoke().duration_ms <= 1000


def test_a_handler_whose_child_goes_on_answers_at_once(function: FunctionFactory) -> None:
    f = function(
        "import os, time\n"
        "def handler(event, context):\n"
        "    if os.fork() == 0:\n        time.sleep(60)\n        os._exit(0)\n"
        "    return 'parent'\n"
    )
    assert f.invoke().payload == b'"parent"'
    assert f.invoke().payload == b'"parent"'


@pytest.mark.parametrize("ending", ["stop", "timeout"])
def test_what_a_function_leaves_behind_ends_with_its_environment(
    function: FunctionFactory, eventually: Eventually, ending: str
) -> None:
    f = function(
        "import os, subprocess, time\n"
        "def handler(event, context):\n"
        "    child = subprocess.Popen(['sleep', '600'])\n"
        "    daemon = subprocess.check_output(['sh', '-c', 'setsid sleep 600 >/dev/null & echo $!'])\n"
        "    print(child.pid, int(daemon))\n"
        "    if event == 'timeout': time.sleep(60)\n",
        timeout_s=0.5,
    )
    outcome = f.invoke(ending)
    left = [int(word) for event in outcome.log[1:2] for word in event.message.split()]
    assert len(left) == 2
    f.environment.stop()
    assert eventually(lambda: not any(psutil.pid_exists(pid) for pid in left))


@pytest.mark.parametrize(
    "hog",
    [
        pytest.param("fill()", id="itself"),
        pytest.param("os.fork() or fill(); os.wait()", id="in a child process"),
    ],
)
def test_a_function_that_takes_more_than_its_memory_is_killed(function: FunctionFactory, hog: str) -> None:
    f = function(
        "import os, time\n"
        "def fill():\n    kept = []\n    while True:\n        kept.append(b'x' * 2**20)\n        time.sleep(0.001)\n"
        f"def handler(event, context):\n    {hog}\n",
        memory_mb=128,
    )
    outcome = f.invoke()
    assert outcome.failure is Failure.OUT_OF_MEMORY
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {outcome.request_id} Error: Runtime exited with error: signal: killed",
    }
    assert "\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory\t\n" in outcome.log_tail


def test_a_function_that_forks_without_end_is_killed(
    function: FunctionFactory, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(runtime_process, "_MAX_PROCESSES", 10)
    f = function(
        "import os, time\n"
        "def handler(event, context):\n"
        "    for _ in range(20):\n        if os.fork() == 0: time.sleep(60)\n"
        "    time.sleep(60)\n"
    )
    process = f.process
    outcome = f.invoke()
    assert outcome.failure is Failure.EXIT
    assert "Runtime exited with error: signal: killed" in outcome.payload.decode()
    assert eventually(lambda: not process.is_running())


def test_binary_output_cannot_spoil_the_log(function: FunctionFactory) -> None:
    f = function(
        "import os\n"
        "def handler(event, context):\n"
        "    os.write(1, bytes(range(256)) * 8 + b'\\n')\n"
        "    os.write(1, b'\\xa5\\x5a\\x00\\x03' + (8).to_bytes(4, 'big') + b'\\xff' * 8 + b'tomorrow')\n"
        "    print('after')\n"
        "    os.write(1, b'\\xa5\\x5a\\x00\\x03' + b'\\xff' * 12 + b'a frame that never ends')\n"
    )
    outcome = f.invoke()
    messages = [event.message for event in outcome.log]
    assert messages[-5:-3] == ["tomorrow", "after\n"]
    assert messages[-3].endswith("a frame that never ends")
    assert messages[-1].startswith("REPORT RequestId: ")
    assert max(event.timestamp_ms for event in outcome.log) <= time.time() * 1000


def test_a_huge_line_is_cut_into_events_that_cloudwatch_takes(function: FunctionFactory) -> None:
    outcome = function("def handler(event, context): print('x' * 1_000_000)").invoke()
    lengths = [len(event.message) for event in outcome.log[1:-2]]
    assert sum(lengths) == 1_000_001
    assert max(lengths) == MAX_EVENT_BYTES


RUNTIME_API = """
import os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def send(*requests):
    sockets = [socket.create_connection((host, int(port)), 1) for _ in requests]
    for sock, request in zip(sockets, requests):
        sock.sendall(request)
    return [sock.recv(1000).decode() for sock in sockets]
"""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\xff\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_garbage_on_the_runtime_api_is_hung_up_on(function: FunctionFactory, request_bytes: bytes) -> None:
    f = function(f"{RUNTIME_API}\ndef handler(event, context): return send({request_bytes!r})")
    assert f.invoke().payload == b'[""]'


def test_only_the_invocation_in_flight_can_be_answered(function: FunctionFactory) -> None:
    f = function(
        f"{RUNTIME_API}\n"
        "def post(path):\n"
        "    return b'POST /2018-06-01/runtime/' + path + b' HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\n{}'\n"
        "def handler(event, context):\n"
        "    return send(post(b'invocation/other/response'), post(b'init/error'), post(b'exit/error'))\n"
    )
    status_lines = [answer.split("\r\n")[0] for answer in json.loads(f.invoke().payload)]
    assert status_lines == ["HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request", "HTTP/1.1 404 Not Found"]


def test_a_function_cannot_use_up_the_emulators_descriptors(function: FunctionFactory) -> None:
    f = function(
        f"{RUNTIME_API}\nkept = []\n"
        "def handler(event, context):\n"
        "    kept.extend(socket.create_connection((host, int(port)), 1) for _ in range(100))\n"
        "    return 'enough'\n"
    )
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert f.invoke().payload == b'"enough"'
    assert len(os.listdir("/proc/self/fd")) < before + 50  # noqa: PTH208
    assert f.invoke().payload == b'"enough"'


def test_a_function_may_handle_signals_of_its_own(function: FunctionFactory) -> None:
    f = function(
        "import signal, time\nrung = []\nsignal.signal(signal.SIGALRM, lambda *_: rung.append(1))\n"
        "def handler(event, context):\n"
        "    signal.setitimer(signal.ITIMER_REAL, 0.02)\n"
        "    time.sleep(0.05)\n"
        "    return rung\n"
    )
    assert f.invoke().payload == b"[1]"
