"""The Lambda guides on the lab: a function that invokes another, one behind API Gateway, two in a state machine."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import bootstrap
from tests.integration.conftest import Lab

STAGE = "guides"
EVENTS = Path(__file__).parents[2] / "services" / "lambda-guides" / "events"


@pytest.fixture(scope="module")
def target(lab: Lab) -> bootstrap.Target:
    return bootstrap.Target(lab.endpoint_url)


@pytest.fixture(scope="module")
def outputs(target: bootstrap.Target) -> Any:
    return bootstrap.deploy(target, stage=STAGE, services=["lambda-guides"])["lambda-guides"]


def test_a_function_invokes_another_by_its_arn(target: bootstrap.Target, outputs: Any) -> None:
    assert outputs
    answer = bootstrap.invoke(target, "Invoker", (EVENTS / "invoker.json").read_bytes(), stage=STAGE)

    made = json.loads(answer.payload)
    assert answer.function_error is None
    assert (made["CustomerId"], made["Success"]) == ("123", "true")
    assert made["TransactionId"]


def test_the_failure_of_the_invoked_function_reaches_the_caller(target: bootstrap.Target, outputs: Any) -> None:
    assert outputs
    answer = bootstrap.invoke(target, "Invoker", b"{}", stage=STAGE)

    assert answer.function_error == "Unhandled"
    failure = json.loads(answer.payload)
    assert failure["errorType"] == "InvokedFunctionError"
    assert failure["errorMessage"] == "MissingCustomerIdError: CustomerId is missing or not a text"


@pytest.mark.parametrize(
    ("query", "status", "answer"),
    [
        (
            "?transactionId=5&type=PURCHASE&amount=12.50",
            200,
            {"transactionId": "5", "type": "PURCHASE", "transactionAmount": "12.50", "message": "Success"},
        ),
        ("", 400, {"message": "the query parameter transactionId is missing"}),
        (
            "?transactionId=5&type=PURCHASE&amount=ten",
            400,
            {"message": 'amount must be a number such as 12.50, got "ten"'},
        ),
    ],
)
def test_transactions_are_processed_or_refused_with_the_reason(
    outputs: Any, query: str, status: int, answer: dict[str, str]
) -> None:
    try:
        response = urllib.request.urlopen(outputs["TransactionsUrl"] + query)  # noqa: S310 (the lab's own)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        assert (response.status, json.load(response)) == (status, answer)


def execute(lab: Lab, document: str) -> subprocess.CompletedProcess[str]:
    """Run the command that executes the state machine."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "bootstrap", "execute", "PurchaseStateMachine", "--event", "-"),
            *("--stage", STAGE, "--endpoint", lab.endpoint_url),
        ],
        input=document,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("kind", "task"), [("PURCHASE", "ProcessPurchase"), ("REFUND", "ProcessRefund")])
def test_the_state_machine_hands_each_type_to_its_function(lab: Lab, outputs: Any, kind: str, task: str) -> None:
    assert outputs
    command = execute(lab, json.dumps({"TransactionType": kind}))

    assert command.returncode == 0, command.stderr
    assert command.stderr == f"ProcessTransaction -> {task} -> SUCCEEDED\n"
    output = json.loads(command.stdout)
    assert (output["TransactionType"], output["Message"]) == (kind, f"Processed by the function {task}")


@pytest.mark.parametrize("document", ['{"TransactionType":"GIFT"}', "{}", '{"TransactionType":5}', "null"])
def test_any_other_type_fails_by_name_and_shows_the_input(lab: Lab, outputs: Any, document: str) -> None:
    assert outputs
    command = execute(lab, document)

    assert (command.returncode, command.stdout) == (1, "")
    assert command.stderr == (
        "ProcessTransaction -> UnknownTransactionType -> FAILED\n"
        "bootstrap: PurchaseStateMachine ended as UnknownTransactionType: "
        f"TransactionType must be PURCHASE or REFUND; the input is {document}\n"
    )


def test_a_state_machine_that_is_not_there_is_named_beside_those_that_are(
    target: bootstrap.Target, outputs: Any
) -> None:
    assert outputs
    with pytest.raises(bootstrap.InputError, match=r"no state machine 'Sale' .* there is: PurchaseStateMachine"):
        bootstrap.execute(target, "Sale", b"{}", stage=STAGE)


def test_a_failed_execution_is_no_error_of_the_lab(embedded_lab: Any) -> None:
    log = embedded_lab.emulator.log_file.read_text()

    assert "UnknownTransactionType" not in log
