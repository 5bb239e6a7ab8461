"""CloudWatch's metrics of tables, and what settings change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rydelab.lab.emulation.emulator import EmulatorError
from tests.integration.dynamodb.tables import KB, Tables, client_of, item


def test_cloudwatch_has_the_metrics_of_table_and_index_apart(
    dynamodb: Tables, lab: Any, until: Callable[..., Any]
) -> None:
    table = dynamodb.create(units=2, indexes={"gsi": 1})
    dynamodb.put(table, "a", 3 * KB, gsi="1")
    dynamodb.put(table, "b", 2 * KB)
    dynamodb.exhaust_writes(table, gsi="1")
    with pytest.raises(ClientError):
        dynamodb.put(table, "c", gsi="1")
    cloudwatch = lab.client("cloudwatch")

    def total(metric: str, **dimensions: str) -> float:
        now = datetime.now(UTC)
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    index = {"TableName": table, "GlobalSecondaryIndexName": "gsi"}
    until(lambda: total("ThrottledRequests", TableName=table, Operation="PutItem") == 1)
    assert total("ConsumedWriteCapacityUnits", TableName=table) == 3 + 2 + 390
    assert total("ConsumedWriteCapacityUnits", **index) == 3 + 390
    assert total("WriteThrottleEvents", **index) == 1
    assert total("WriteProvisionedThroughputThrottleEvents", **index) == 1
    assert total("WriteThrottleEvents", TableName=table) == 0
    assert total("ProvisionedWriteCapacityUnits", TableName=table) == 2
    assert total("SuccessfulRequestLatency", TableName=table, Operation="PutItem") > 0


def test_a_wrong_setting_stops_the_start_and_is_named(start_lab: Callable[..., Any]) -> None:
    with pytest.raises(EmulatorError, match="RYDELAB_DYNAMODB_BURST_S=lots: must be a number"):
        start_lab(BURST_S="lots")


def test_without_enforcement_nothing_is_refused_or_metered(start_lab: Callable[..., Any]) -> None:
    with start_lab(ENFORCEMENT="off") as running:
        client = client_of(running.endpoint_url)
        tables = Tables(running.endpoint_url, client)
        table = tables.create(units=1)
        for number in range(3):
            tables.put(table, f"{number}", 390 * KB)

        answer = client.put_item(TableName=table, Item=item("last"), ReturnConsumedCapacity="TOTAL")
        status, _, body = tables.raw("PutItem", {"TableName": table, "Item": {}})

        assert "ConsumedCapacity" not in answer
        assert (status, body["__type"]) == (400, "com.amazon.coral.validate#ValidationException")
        assert client.scan(TableName=table, Select="COUNT")["Count"] == 2
        assert tables.get("/_rydelab/dynamodb")["tables"] == []
        client.close()


def test_the_observation_can_be_reset_and_says_what_it_does_not_understand(dynamodb: Tables) -> None:
    table = dynamodb.create(units=1)
    dynamodb.put(table, "a")

    assert dynamodb.get(f"/_rydelab/dynamodb/reset?table={table}", "POST") == {"reset": [table]}

    assert sum(dynamodb.observe(table)["resources"][0]["series"]["write_units"]) <= 1
    assert "series" not in dynamodb.observe(table, "&series=0")["resources"][0]
    assert dynamodb.get("/_rydelab/dynamodb?since=soon") == {"error": "since must be a Unix time, got 'soon'"}
