"""LoadTable: what CloudFormation asks, what becomes of the table, and what CloudFormation is told."""

import json
from typing import Any

import pytest
import urllib3

from tests.unit.services.deployed import module, sample_event
from tests.unit.services.fake_dynamodb import FakeDynamoDB

custom_resource = module("wild-rydes-ride-fleet", "custom_resource")
load_table = module("wild-rydes-ride-fleet", "load_table")
unicorns = module("wild-rydes-ride-fleet", "unicorns")

DEPLOYED = {unicorn["Name"] for unicorn in load_table.read_unicorns()}


class ResponseUrl:
    """Takes what is put to it, as CloudFormation's bucket would, and answers *status*."""

    def __init__(self, status: int = 200) -> None:
        self.puts: list[tuple[str, str, dict[str, Any], dict[str, str]]] = []
        self._status = status

    def request(self, method: str, url: str, *, body: bytes, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Take one request."""
        assert len(body) <= 4096, "CloudFormation refuses more"
        self.puts.append((method, url, json.loads(body), headers))
        return urllib3.HTTPResponse(status=self._status, body=b"<Error>expired</Error>")


def cloudformation_asks(kind: str, dynamodb: FakeDynamoDB, **properties: Any) -> dict[str, Any]:
    """Return the answer to the sample event of this *kind* for the table ``table``."""
    event = sample_event("wild-rydes-ride-fleet", f"load-table-{kind}")
    event["ResourceProperties"] |= {"TableName": "table"} | properties
    url = ResponseUrl()
    custom_resource.serve(
        event,
        lambda request: load_table.carry_out(
            request, lambda name: unicorns.UnicornsTable(dynamodb, name, sleep=_no_sleep)
        ),
        fallback_id="a-log-stream",
        pool=url,
    )
    [(method, put_to, answer, headers)] = url.puts
    assert (method, put_to, headers) == ("PUT", event["ResponseURL"], {"Content-Type": ""})
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")
    }
    return answer


def _no_sleep(_seconds: float) -> None:
    pass


def test_the_deployed_herd_is_whole() -> None:
    herd = load_table.read_unicorns()

    assert len(DEPLOYED) == len(herd) >= 10
    assert all(set(unicorn) == {"Name", "Color", "DeviceId"} and all(unicorn.values()) for unicorn in herd)


def test_create_fills_the_table() -> None:
    dynamodb = FakeDynamoDB(key="Name")

    answer = cloudformation_asks("create", dynamodb)

    assert set(dynamodb.items) == DEPLOYED
    assert dynamodb.items["Shadowfax"]["Color"] == {"S": "White"}
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == "table-content"
    assert answer["Data"] == {"Count": len(DEPLOYED)}


def test_update_leaves_exactly_the_deployed_herd() -> None:
    dynamodb = FakeDynamoDB(key="Name", page_items=3)
    dynamodb.put_item(TableName="table", Item={"Name": {"S": "Retired"}, "Color": {"S": "Grey"}})
    dynamodb.put_item(TableName="table", Item={"Name": {"S": "Shadowfax"}, "Color": {"S": "Pink"}})

    assert cloudformation_asks("update", dynamodb)["Status"] == "SUCCESS"
    assert set(dynamodb.items) == DEPLOYED
    assert dynamodb.items["Shadowfax"]["Color"] == {"S": "White"}


def test_update_of_the_same_table_keeps_the_physical_id() -> None:
    dynamodb = FakeDynamoDB(key="Name")

    created = cloudformation_asks("create", dynamodb)["PhysicalResourceId"]

    assert cloudformation_asks("update", dynamodb)["PhysicalResourceId"] == created


def test_delete_takes_the_deployed_herd_out_and_nothing_else() -> None:
    dynamodb = FakeDynamoDB(key="Name")
    cloudformation_asks("create", dynamodb)
    dynamodb.put_item(TableName="table", Item={"Name": {"S": "Someone's own"}})

    answer = cloudformation_asks("delete", dynamodb)

    assert set(dynamodb.items) == {"Someone's own"}
    assert answer["Status"] == "SUCCESS"
    assert (
        answer["PhysicalResourceId"] == sample_event("wild-rydes-ride-fleet", "load-table-delete")["PhysicalResourceId"]
    )


def test_delete_succeeds_when_the_table_is_gone() -> None:
    dynamodb = FakeDynamoDB(key="Name")
    dynamodb.fail("ResourceNotFoundException")

    assert cloudformation_asks("delete", dynamodb)["Status"] == "SUCCESS"


def test_a_create_without_a_table_fails_with_the_reason_and_its_delete_succeeds() -> None:
    dynamodb = FakeDynamoDB(key="Name")

    created = cloudformation_asks("create", dynamodb, TableName="")

    assert created["Status"] == "FAILED"
    assert created["Reason"] == "ValueError: the property TableName is missing"
    assert created["PhysicalResourceId"] == "a-log-stream"
    assert cloudformation_asks("delete", dynamodb, TableName="")["Status"] == "SUCCESS"


@pytest.mark.parametrize("kind", ["create", "update", "delete"])
def test_a_failure_is_answered_with_aws_s_reason(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    dynamodb = FakeDynamoDB(key="Name")
    dynamodb.fail("AccessDeniedException", "not authorized to perform: dynamodb:Scan")

    answer = cloudformation_asks(kind, dynamodb)

    assert answer["Status"] == "FAILED"
    assert "not authorized to perform: dynamodb:Scan" in answer["Reason"]
    assert "AccessDeniedException" in caplog.text


def test_an_answer_stays_below_cloudformation_s_limit_however_long_the_reason() -> None:
    dynamodb = FakeDynamoDB(key="Name")
    dynamodb.fail("ValidationException", "x" + "é" * 10_000)

    answer = cloudformation_asks("create", dynamodb)

    assert answer["Reason"].startswith("ClientError: ")
    assert answer["Reason"].endswith("ééé")


def test_a_request_type_that_does_not_exist_is_refused() -> None:
    event = sample_event("wild-rydes-ride-fleet", "load-table-create") | {"RequestType": "Destroy"}

    with pytest.raises(ValueError, match="got 'Destroy'"):
        load_table.carry_out(event, lambda _name: None)


def test_an_answer_that_is_not_taken_fails_the_invocation() -> None:
    event = sample_event("wild-rydes-ride-fleet", "load-table-delete")

    with pytest.raises(custom_resource.UndeliveredError, match=r"answered 403: .*expired"):
        custom_resource.serve(
            event, lambda _request: custom_resource.Done("id"), fallback_id="x", pool=ResponseUrl(status=403)
        )


def test_writes_that_dynamodb_left_undone_are_sent_again() -> None:
    dynamodb = FakeDynamoDB(key="Name", items_per_batch=4)
    pauses: list[float] = []
    table = unicorns.UnicornsTable(dynamodb, "table", sleep=pauses.append)

    assert table.fill({"Name": f"U{number}"} for number in range(30)) == 30

    assert len(dynamodb.items) == 30
    assert dynamodb.writes == 30
    # 25 in batches of 4 need 7 requests, the other 5 need 2.
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 0.1]


def test_writes_that_stay_undone_are_an_error() -> None:
    dynamodb = FakeDynamoDB(key="Name", items_per_batch=0)
    table = unicorns.UnicornsTable(dynamodb, "table", sleep=_no_sleep)

    with pytest.raises(unicorns.UnwrittenError, match="1 writes undone after 8 attempts"):
        table.fill([{"Name": "U"}])
