from typing import Any

from rydelab.lab.emulation.observation import FunctionActivity
from rydelab.lab.loading import load_summary
from rydelab.lab.loading.requests_file import Request


def answered(kind: str, *latencies_s: float, error: str = "") -> list[Request]:
    return [Request(0, 0.0, 0.0, latency_s, 200, None, error, kind) for latency_s in latencies_s]


def test_answers_are_counted_by_request_and_failures_by_reason() -> None:
    requests = [
        *answered("menu", 0.010, 0.020),
        *answered("order", 0.5),
        *answered("order", 9.0, 9.0, error="503 closed"),
        *answered("order", 30.0, error="no answer"),
    ]

    assert load_summary.answers({"order": 5, "menu": 2}, requests).splitlines() == [
        "request  sent  as expected  not     p50     p95     p99     max",
        "menu        2            2    0   10 ms   20 ms   20 ms   20 ms",
        "order       5            1    4  500 ms  500 ms  500 ms  500 ms",
        "  2 x order: 503 closed",
        "  1 x order: no answer",
    ]


def observed(*tables: tuple[str, float, dict[str, int]]) -> dict[str, Any]:
    """Return an observation of tables: name, write units consumed so far, refusals so far."""
    return {
        "tables": [
            {
                "account": "0",
                "region": "us-east-1",
                "table": name,
                "billing_mode": "PROVISIONED",
                "resources": [
                    {
                        "index": None,
                        "read": {"consumed_units": 0.5, "refused": {}},
                        "write": {"consumed_units": units, "refused": refused},
                    }
                ],
            }
            for name, units, refused in tables
        ]
    }


def test_tables_show_what_they_did_meanwhile_and_only_those_that_did_something() -> None:
    before = observed(("busy", 100.0, {"Slow": 5}), ("idle", 7.0, {"Slow": 1}))
    after = observed(("busy", 130.0, {"Slow": 8}), ("idle", 7.0, {"Slow": 1}), ("new", 2.5, {}))

    assert load_summary.tables(before, after).splitlines() == [
        "table         mode  read units  write units  throttled",
        "busy   provisioned           0           30          3",
        "new    provisioned         0.5          2.5          0",
        "  3 x busy: Slow",
    ]
    assert load_summary.tables(before, before) == ""


def test_functions_show_what_they_did_meanwhile_and_only_those_that_did_something() -> None:
    before = {"busy": FunctionActivity(invocations=10, errors=1), "idle": FunctionActivity(invocations=3)}
    after = {
        "busy": FunctionActivity(invocations=1510, errors=3, retried=2),
        "idle": FunctionActivity(invocations=3),
        "full": FunctionActivity(throttles=4),
    }

    assert load_summary.functions(before, after).splitlines() == [
        "function  invocations  errors  throttled  handed over again",
        "busy            1,500       2          0                  2",
        "full                0       0          4                  0",
    ]
    assert load_summary.functions(before, before) == ""
