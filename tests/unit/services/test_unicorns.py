"""RequestUnicornApig and RequestUnicornInvoke: a unicorn at random from the table."""

import json
from typing import Any

import pytest

from tests.unit.services.deployed import module
from tests.unit.services.fake_dynamodb import FakeDynamoDB

get_unicorn = module("wild-rydes-ride-fleet", "get_unicorn")
unicorns = module("wild-rydes-ride-fleet", "unicorns")

HERD = [{"Name": name, "Color": "White", "DeviceId": f"device-{name}"} for name in "ABCDE"]


def table(*herd: dict[str, str], **options: Any) -> Any:
    dynamodb = FakeDynamoDB(key="Name")
    for unicorn in herd:
        dynamodb.put_item(TableName="table", Item={name: {"S": value} for name, value in unicorn.items()})
    return unicorns.UnicornsTable(dynamodb, "table", **options)


def test_every_unicorn_is_picked_sooner_or_later() -> None:
    fleet = table(*HERD)

    picked = {fleet.pick()["Name"] for _ in range(200)}

    assert picked == set("ABCDE")


def test_a_picked_unicorn_is_whole() -> None:
    assert table(HERD[0]).pick() == HERD[0]


def test_unicorns_beyond_the_first_page_are_picked_too() -> None:
    offered: list[int] = []
    fleet = table(*HERD, choose=lambda items: (offered.append(len(items)), items[-1])[1])  # type: ignore[func-returns-value]
    fleet.client._page_items = 2

    assert fleet.pick() == HERD[-1]
    assert offered == [5]


def test_a_changed_table_is_noticed_at_once() -> None:
    fleet = table(HERD[0])
    fleet.pick()
    fleet.client.items.clear()

    with pytest.raises(unicorns.NoUnicornError, match="table table holds no unicorns"):
        fleet.pick()


def test_http_answers_a_unicorn() -> None:
    response = get_unicorn.respond(table(HERD[0]))

    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == HERD[0]


def test_http_answers_503_when_the_fleet_is_empty() -> None:
    response = get_unicorn.respond(table())

    assert response["statusCode"] == 503
    assert "holds no unicorns" in json.loads(response["body"])["message"]


def test_http_answers_502_with_aws_s_reason_when_the_table_cannot_be_read() -> None:
    fleet = table(HERD[0])
    fleet.client.fail("ThrottlingException")

    response = get_unicorn.respond(fleet)

    assert response["statusCode"] == 502
    assert "ThrottlingException" in json.loads(response["body"])["message"]
