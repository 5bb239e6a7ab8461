"""What LocalStack does not implement fails and says so, without asking anybody outside."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

POLL = {"Delay": 0.1, "MaxAttempts": 200}


def test_a_resource_type_that_nothing_implements_fails_the_change_set_by_name(lab: Any) -> None:
    client = lab.client("cloudformation")
    stack = f"catalog-{uuid.uuid4().hex[:8]}"
    template = {"Resources": {"Farm": {"Type": "AWS::Pony::Farm"}}}
    client.create_change_set(
        StackName=stack, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps(template)
    )

    with pytest.raises(WaiterError):
        client.get_waiter("change_set_create_complete").wait(StackName=stack, ChangeSetName="first", WaiterConfig=POLL)

    described = client.describe_change_set(StackName=stack, ChangeSetName="first")
    assert described["Status"] == "FAILED"
    assert "AWS::Pony::Farm" in described["StatusReason"]


def test_an_operation_that_nothing_implements_says_so(lab: Any) -> None:
    with pytest.raises(ClientError, match="not currently supported by LocalStack"):
        lab.client("sns").get_sms_sandbox_account_status()
