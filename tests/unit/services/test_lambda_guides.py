"""The Lambda guides: what each function answers, and what the state machine says of types that it does not know."""

import io
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from tests.unit.services.deployed import SERVICES_DIR, module, sample_event, sdk_client

invoker = module("lambda-guides", "invoker")
lambda_to_invoke = module("lambda-guides", "lambda_to_invoke")
transaction_processor = module("lambda-guides", "transaction_processor")
process_transaction = module("lambda-guides", "process_transaction")

ARN = "arn:aws:lambda:us-east-1:000000000000:function:other"
PURCHASE = {"transactionId": "5", "type": "PURCHASE", "amount": "12.50"}


def test_a_customer_gets_a_transaction() -> None:
    made = lambda_to_invoke.handler(sample_event("lambda-guides", "lambda-to-invoke"), None)

    assert set(made) == {"CustomerId", "Success", "TransactionId"}
    assert (made["CustomerId"], made["Success"]) == ("123", "true")
    assert str(uuid.UUID(made["TransactionId"])) == made["TransactionId"]


@pytest.mark.parametrize("event", [{}, {"CustomerId": ""}, {"CustomerId": 123}])
def test_an_event_without_a_customer_fails_the_function(event: Any) -> None:
    with pytest.raises(lambda_to_invoke.MissingCustomerIdError, match="CustomerId"):
        lambda_to_invoke.handler(event, None)


def invoked(payload: bytes, **more: str) -> Any:
    """Invoke the other function, which answers *payload*."""
    client = sdk_client("lambda")
    event = {"CustomerId": "123", "Amount": 50}
    with Stubber(client) as stub:
        stub.add_response(
            "invoke",
            {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload)), **more},
            {
                "FunctionName": ARN,
                "InvocationType": "RequestResponse",
                "Payload": json.dumps(event).encode(),
            },
        )
        return invoker.invoke(client, ARN, event)


def test_the_invoker_hands_its_event_on_and_returns_the_answer() -> None:
    assert invoked(b'{"CustomerId": "123", "Success": "true"}') == {"CustomerId": "123", "Success": "true"}


def test_a_failure_of_the_invoked_function_is_not_taken_for_an_answer() -> None:
    with pytest.raises(invoker.InvokedFunctionError, match="ValueError: no such customer"):
        invoked(b'{"errorType": "ValueError", "errorMessage": "no such customer"}', FunctionError="Unhandled")


def answered(query: dict[str, str] | None) -> tuple[int, Any]:
    """Return status and body of the answer to *query*."""
    event = {**sample_event("lambda-guides", "transaction-processor"), "queryStringParameters": query}
    response = transaction_processor.handler(event, None)
    return response["statusCode"], json.loads(response["body"])


def test_a_transaction_is_processed() -> None:
    assert answered(PURCHASE) == (
        200,
        {"transactionId": "5", "type": "PURCHASE", "transactionAmount": "12.50", "message": "Success"},
    )


def test_the_sample_event_is_one_that_is_processed() -> None:
    assert (
        transaction_processor.handler(sample_event("lambda-guides", "transaction-processor"), None)["statusCode"] == 200
    )


@pytest.mark.parametrize("missing", ["transactionId", "type", "amount"])
def test_a_missing_parameter_is_named(missing: str) -> None:
    query = {name: value for name, value in PURCHASE.items() if name != missing}

    assert answered(query) == (400, {"message": f"the query parameter {missing} is missing"})
    assert answered({**PURCHASE, missing: ""})[0] == 400


def test_a_request_without_any_parameter_gets_a_reason_too() -> None:
    # API Gateway says null, not {}.
    assert answered(None) == (400, {"message": "the query parameter transactionId is missing"})


@pytest.mark.parametrize("amount", ["ten", "1,5", "1e400", "nan", "inf", " 5", "5 ", "0x10", "1_000", "٣", "5\n"])
def test_an_amount_that_is_no_number_is_refused_with_its_value(amount: str) -> None:
    assert answered({**PURCHASE, "amount": amount}) == (
        400,
        {"message": f"amount must be a number such as 12.50, got {json.dumps(amount)}"},
    )


@pytest.mark.parametrize("amount", ["500", "-3", "0.10", "123456789012345678901234567890.01"])
def test_an_amount_keeps_its_digits(amount: str) -> None:
    assert answered({**PURCHASE, "amount": amount})[1]["transactionAmount"] == amount


@pytest.mark.parametrize("kind", ["purchase", "refund"])
def test_each_task_says_who_did_it_and_when(kind: str) -> None:
    event = sample_event("lambda-guides", kind)

    before = datetime.now(UTC).replace(microsecond=0)
    processed = getattr(process_transaction, f"handler_{kind}")(event, None)

    assert processed["TransactionType"] == kind.upper()
    assert processed["Message"] == f"Processed by the function Process{kind.capitalize()}"
    assert datetime.strptime(processed["Timestamp"], "%Y-%m-%d %H-%M-%S").replace(tzinfo=UTC) >= before


def test_every_way_out_of_the_choice_leads_to_a_state() -> None:
    definition = json.loads((SERVICES_DIR / "lambda-guides" / "state_machines" / "purchase.asl.json").read_text())
    choice = definition["States"][definition["StartAt"]]

    ways = {rule["Next"] for rule in choice["Choices"]} | {choice["Default"]}

    assert ways == definition["States"].keys() - {definition["StartAt"]}
    assert definition["States"][choice["Default"]]["Error"] == "UnknownTransactionType"
