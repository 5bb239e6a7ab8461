"""The emulator's life: what it binds, where its files are, and what is left of it when it ends."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from rydelab.lab.emulation import emulator
from rydelab.lab.emulation.emulator import EmulatorError
from rydelab.settings import Settings

RYDELAB = Path(sys.executable).with_name("rydelab")
DEADLINE_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(port=free_port(), data_dir=tmp_path / "data")


def rydelab(*arguments: str, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([RYDELAB, *arguments], capture_output=True, text=True, timeout=60, check=False, **keywords)


def flags(settings: Settings) -> list[str]:
    return ["--port", str(settings.port), "--data-dir", str(settings.data_dir)]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        time.sleep(0.02)


def processes_of(settings: Settings) -> list[psutil.Process]:
    """Every process of the lab: the supervisor and all below it."""
    supervisor = psutil.Process(emulator._state(settings)["supervisor_pid"])
    return [supervisor, *supervisor.children(recursive=True)]


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run. A zombie has ended: whoever adopted it has only not looked yet."""
    running = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running


def client(settings: Settings, service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=f"http://127.0.0.1:{settings.port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
    )


@contextmanager
def up_in_the_foreground(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Run ``rydelab up`` until it says how to stop it, as the leader of its own session."""
    command = [str(RYDELAB), "up", *flags(settings)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as up:
        assert up.stdout is not None
        said = ""
        for line in up.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        assert "Ctrl-C" in said, said
        try:
            yield up
        finally:
            up.kill()


def test_it_listens_on_loopback_only(embedded_lab: Any) -> None:
    info = emulator.find(embedded_lab.endpoint_url)
    assert info is not None

    listening = [
        connection.laddr.ip
        for process in [psutil.Process(info.pid), *psutil.Process(info.pid).children(recursive=True)]
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_it_names_its_plugins(lab: Any) -> None:
    info = emulator.find(lab.endpoint_url)

    assert info is not None
    assert info.ready
    assert "localstack.lambda.runtime_executor:rydelab" in info.plugins
    assert "localstack.aws.provider:dynamodb:rydelab" in info.plugins


def test_the_files_that_it_has_open_are_below_its_folder(embedded_lab: Any) -> None:
    embedded_lab.client("s3").create_bucket(Bucket="open-files")
    embedded_lab.client("s3").put_object(Bucket="open-files", Key="key", Body=b"x" * 1_000_000)
    info = emulator.find(embedded_lab.endpoint_url)
    assert info is not None

    written = [file.path for file in psutil.Process(info.pid).open_files() if file.mode not in {"r", "rb"}]

    assert [path for path in written if not Path(path).is_relative_to(info.lab_dir)] == []
    assert any((info.lab_dir / "tmp/s3").rglob("*")), "objects are not stored where the lab's settings say"


def test_dynamodb_answers_without_a_process_of_its_own(embedded_lab: Any) -> None:
    dynamodb = embedded_lab.client("dynamodb")
    dynamodb.create_table(
        TableName="without-java",
        KeySchema=[{"AttributeName": "Name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Name", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="without-java", Item={"Name": {"S": "Shadowfax"}, "Legs": {"N": "4"}})

    item = dynamodb.get_item(TableName="without-java", Key={"Name": {"S": "Shadowfax"}})["Item"]

    assert item == {"Name": {"S": "Shadowfax"}, "Legs": {"N": "4"}}
    info = emulator.find(embedded_lab.endpoint_url)
    assert info is not None
    assert [p.name() for p in psutil.Process(info.pid).children(recursive=True) if "java" in p.name()] == []


def test_two_labs_run_side_by_side_in_one_data_directory(embedded_lab: Any, settings: Settings) -> None:
    second = Settings(port=settings.port, data_dir=embedded_lab.emulator.lab_dir.parent)
    embedded_lab.client("sqs").create_queue(QueueName="only-in-the-first")

    with emulator.start(second):
        assert "QueueUrls" not in client(second, "sqs").list_queues()
        client(second, "sqs").create_queue(QueueName="only-in-the-second")
        ports = [*emulator.labs(second.data_dir)]

    first_names = [url.rsplit("/", 1)[1] for url in embedded_lab.client("sqs").list_queues()["QueueUrls"]]
    assert "only-in-the-first" in first_names
    assert "only-in-the-second" not in first_names
    assert second.port in ports
    assert len(ports) == 2


def test_a_port_that_another_program_uses_is_named(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        other.listen()

        up = rydelab("up", *flags(settings))

    assert up.returncode == 1
    assert f"port {settings.port} of 127.0.0.1 is taken: another program uses it" in up.stderr
    assert "Traceback" not in up.stderr


def test_a_port_that_another_lab_uses_is_named_with_its_folder(embedded_lab: Any, tmp_path: Path) -> None:
    port = int(embedded_lab.endpoint_url.rsplit(":", 1)[1])

    with pytest.raises(
        EmulatorError, match=f"port {port} of 127.0.0.1 is taken: a lab .*{embedded_lab.emulator.lab_dir}"
    ):
        emulator.start(Settings(port=port, data_dir=tmp_path))


def test_a_data_directory_that_cannot_be_written_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmulatorError, match="cannot write to the data directory"):
        emulator.start(Settings(port=settings.port, data_dir=tmp_path / "file" / "data"))


def test_a_plugin_that_does_not_load_stops_the_start_and_is_named(settings: Settings, tmp_path: Path) -> None:
    plugin = tmp_path / "path" / "broken-1.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (plugin / "entry_points.txt").write_text("[localstack.aws.provider]\nsqs:broken = rydelab.plugins.absent:sqs\n")

    up = rydelab("up", *flags(settings), env={**os.environ, "PYTHONPATH": str(plugin.parent)})

    assert up.returncode == 1
    assert "localstack.aws.provider:sqs:broken (rydelab.plugins.absent:sqs) does not load" in up.stderr
    assert "No module named 'rydelab.plugins.absent'" in up.stderr
    assert "Traceback" not in up.stderr
    assert not emulator.is_running(settings)


def test_a_plugin_that_is_chosen_but_not_installed_stops_the_start_and_is_named(settings: Settings) -> None:
    with pytest.raises(EmulatorError, match=r"localstack\.aws\.provider:dynamodb:other is not installed"):
        emulator.start(settings, environment={"PROVIDER_OVERRIDE_DYNAMODB": "other"})


def test_a_start_that_fails_shows_the_end_of_the_log(settings: Settings) -> None:
    with pytest.raises(EmulatorError) as failed:
        emulator.start(settings, environment={"GATEWAY_LISTEN": "127.0.0.1:nonsense"})

    assert "nonsense" in str(failed.value)
    assert str(emulator.log_file(settings)) in str(failed.value)


def test_detached_it_outlives_the_command_and_down_ends_it(settings: Settings) -> None:
    up = rydelab("up", "--detach", *flags(settings))
    assert up.returncode == 0, up.stderr
    processes = processes_of(settings)

    status = rydelab("status", *flags(settings))
    down = rydelab("down", *flags(settings))

    assert status.returncode == 0
    assert f"http://127.0.0.1:{settings.port}  ready" in status.stdout
    assert down.returncode == 0
    assert f"Stopped the lab on port {settings.port}." in down.stdout
    assert alive(processes) == []
    assert rydelab("status", *flags(settings)).returncode == 1
    assert "Nothing to stop." in rydelab("down", *flags(settings)).stdout


DAEMON = """
import os, subprocess
def handler(event, context):
    # Out of the process group, out of the session, and orphaned at once.
    subprocess.Popen(["setsid", "sh", "-c", "sleep 600 & sleep 600"], start_new_session=True)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "600"])
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)  # ends when the exec closes the pipe: the answer freezes what has not come that far
    return "started"
"""


def start_a_function_that_leaves_processes_behind(settings: Settings) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("daemon.py", DAEMON)
    functions = client(settings, "lambda")
    functions.create_function(
        FunctionName="daemon",
        Runtime="python3.13",
        Handler="daemon.handler",
        Role="arn:aws:iam::000000000000:role/daemon",
        Timeout=20,
        Code={"ZipFile": code.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="daemon", WaiterConfig={"Delay": 0.1})
    assert functions.invoke(FunctionName="daemon")["Payload"].read() == b'"started"'
    functions.close()


def kill_the_command(up: subprocess.Popen[str], _settings: Settings) -> None:
    up.kill()


def terminate_the_command(up: subprocess.Popen[str], _settings: Settings) -> None:
    up.terminate()


def interrupt_the_command(up: subprocess.Popen[str], _settings: Settings) -> None:
    os.killpg(up.pid, signal.SIGINT)  # as a terminal does


def kill_the_emulator(_up: subprocess.Popen[str], settings: Settings) -> None:
    os.kill(emulator._state(settings)["emulator_pid"], signal.SIGKILL)


def stop_with_down(_up: subprocess.Popen[str], settings: Settings) -> None:
    assert rydelab("down", *flags(settings)).returncode == 0


@pytest.mark.parametrize(
    ("end", "exit_status"),
    [
        (interrupt_the_command, 0),
        (terminate_the_command, 0),
        (stop_with_down, 0),
        (kill_the_emulator, 1),
        (kill_the_command, -signal.SIGKILL),
    ],
)
def test_however_it_ends_no_process_is_left(
    settings: Settings, end: Callable[[subprocess.Popen[str], Settings], None], exit_status: int
) -> None:
    with up_in_the_foreground(settings) as up:
        start_a_function_that_leaves_processes_behind(settings)
        processes = processes_of(settings)
        assert sum(process.name() == "sleep" for process in processes) >= 1

        end(up, settings)

        assert up.wait(DEADLINE_S) == exit_status
    wait_until(lambda: not alive(processes), f"the end of {processes}")
    assert not emulator.is_running(settings)
    assert not (settings.lab_dir / "tmp").exists()


def test_the_emulator_dies_with_its_supervisor(settings: Settings) -> None:
    with up_in_the_foreground(settings):
        processes = processes_of(settings)

        processes[0].kill()

        wait_until(lambda: not alive(processes), f"the end of {processes}")


def test_a_command_that_lost_its_emulator_says_so(settings: Settings) -> None:
    with up_in_the_foreground(settings) as up:
        kill_the_emulator(up, settings)

        said, _ = up.communicate(timeout=DEADLINE_S)

    assert "ended by itself with status 137" in said
    assert str(emulator.log_file(settings)) in said
