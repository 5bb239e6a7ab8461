"""What a function leaves in CloudWatch: its log, line by line, and its metrics."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


@pytest.fixture(scope="module")
def busy(functions: Any) -> tuple[str, list[Any]]:
    """Return a function and its answers: three good ones, an error, a timeout; then one that was throttled."""
    name = functions.create(
        "import logging, time\nlogging.getLogger().setLevel('INFO')\n"
        "def handler(event, context):\n"
        "    print('printed', event)\n"
        "    logging.info('logged %s', event)\n"
        "    if event == 'raise': raise ValueError('no unicorn')\n"
        "    if event == 'sleep': time.sleep(30)\n",
        Timeout=1,
    )
    answers = [functions.invoke(name, event) for event in (1, 2, "raise", 3, "sleep")]
    functions.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.refusal(functions.client("lambda").invoke, FunctionName=name)
    return name, answers


def test_the_log_group_has_the_lines_of_every_invocation_in_order(functions: Any, busy: tuple[str, list[Any]]) -> None:
    name, answers = busy
    group = f"/aws/lambda/{name}"
    messages = functions.eventually(
        lambda: log if (log := functions.log(group)) and answers[-1].request_id in log[-1] else None
    )
    assert messages[0].startswith("INIT_START Runtime Version: python:3.13.")
    # The same text as LogType=Tail gave, invocation after invocation.
    assert "".join(m if m.endswith("\n") else m + "\n" for m in messages[1:]) == "".join(a.log for a in answers)
    error = next(message for message in messages if message.startswith("[ERROR]"))
    assert error.startswith("[ERROR] ValueError: no unicorn\nTraceback (most recent call last):\n")


def test_the_stream_is_named_for_the_day_the_version_and_the_environment(
    functions: Any, busy: tuple[str, list[Any]]
) -> None:
    group = f"/aws/lambda/{busy[0]}"
    functions.eventually(lambda: functions.log(group))
    [stream] = functions.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    day, environment = stream["logStreamName"].rsplit("/", 1)
    started = datetime.strptime(day, "%Y/%m/%d").replace(tzinfo=UTC)
    assert datetime.now(UTC) - started < timedelta(days=2)
    assert environment.startswith("[$LATEST]")
    assert len(environment.removeprefix("[$LATEST]")) == 32


def test_the_log_group_can_be_another(functions: Any) -> None:
    group = f"/rides/{uuid.uuid4()}"
    name = functions.create(
        "def handler(event, context): print(context.log_group_name)", LoggingConfig={"LogGroup": group}
    )
    functions.invoke(name)
    assert f"{group}\n" in functions.eventually(lambda: functions.log(group))


def test_json_log_format_formats_what_the_function_logs(functions: Any) -> None:
    name = functions.create(
        "import logging\ndef handler(event, context): logging.warning('no unicorn')",
        LoggingConfig={"LogFormat": "JSON"},
    )
    answer = functions.invoke(name)
    assert '"level": "WARNING", "message": "no unicorn"' in answer.log
    assert f'"requestId": "{answer.request_id}"' in answer.log


def test_the_metrics_count_invocations_errors_durations_throttles_and_concurrency(
    functions: Any, busy: tuple[str, list[Any]]
) -> None:
    name, _ = busy
    cloudwatch = functions.client("cloudwatch")

    def statistics(metric: str) -> dict[str, float]:
        now = datetime.now(UTC)
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum", "SampleCount", "Maximum", "Minimum"],
        )["Datapoints"]
        return {
            "Sum": sum(point["Sum"] for point in points),
            "SampleCount": sum(point["SampleCount"] for point in points),
            "Maximum": max((point["Maximum"] for point in points), default=0),
            "Minimum": min((point["Minimum"] for point in points), default=0),
        }

    functions.eventually(lambda: statistics("Throttles")["Sum"] == 1)
    assert statistics("Invocations")["Sum"] == 5  # the refused one is not an invocation
    assert statistics("Errors")["Sum"] == 2
    duration = statistics("Duration")
    assert duration["SampleCount"] == 5
    assert duration["Maximum"] == 1000
    assert 0 < duration["Minimum"] < 100
    assert statistics("ConcurrentExecutions")["Maximum"] == 1
