import gzip
import json
from itertools import product
from pathlib import Path

import botocore
import pytest

from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import (
    ACCOUNT_MESSAGE,
    ADMITTED,
    GENERIC_MESSAGE,
    ON_DEMAND_INDEX_MESSAGE,
    ON_DEMAND_MAXIMUM_MESSAGE,
    ON_DEMAND_TABLE_MESSAGE,
    PROVISIONED_INDEX_MESSAGE,
    PROVISIONED_TABLE_MESSAGE,
    Access,
    BillingMode,
    Decision,
    Limit,
    Throttle,
    batch_get_error,
    batch_write_error,
    cancellation_reasons,
    throttling_error,
)

PROVISIONED, ON_DEMAND = BillingMode.PROVISIONED, BillingMode.ON_DEMAND
PTEE, TE, RLE = "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"
SETTINGS = Settings()


def throttle(limit: Limit, mode: BillingMode = PROVISIONED, index: str | None = None) -> Throttle:
    return Throttle(limit, Access.WRITE, mode, "Rides", index)


RATE, INDEX_RATE = throttle(Limit.PROVISIONED), throttle(Limit.PROVISIONED, index="byCity")
HOT = throttle(Limit.KEY_RANGE)
GROWTH = throttle(Limit.KEY_RANGE, ON_DEMAND)
QUOTA = throttle(Limit.ACCOUNT, ON_DEMAND)


@pytest.mark.parametrize(
    ("event", "name", "message"),
    [
        pytest.param(RATE, PTEE, PROVISIONED_TABLE_MESSAGE, id="provisioned rate of a table"),
        pytest.param(INDEX_RATE, PTEE, PROVISIONED_INDEX_MESSAGE, id="provisioned rate of an index"),
        pytest.param(throttle(Limit.ON_DEMAND_MAXIMUM, ON_DEMAND), TE, ON_DEMAND_MAXIMUM_MESSAGE, id="maximum"),
        pytest.param(GROWTH, TE, ON_DEMAND_TABLE_MESSAGE, id="on-demand growing too fast, or hot partition"),
        pytest.param(throttle(Limit.KEY_RANGE, ON_DEMAND, "byCity"), TE, ON_DEMAND_INDEX_MESSAGE, id="same, index"),
        pytest.param(throttle(Limit.KEY_RANGE, index="byCity"), TE, ON_DEMAND_INDEX_MESSAGE, id="index hot partition"),
        pytest.param(HOT, PTEE, PROVISIONED_TABLE_MESSAGE, id="hot partition of a provisioned table"),
        pytest.param(QUOTA, RLE, ACCOUNT_MESSAGE, id="table quota"),
    ],
)
def test_exception_and_message_by_what_was_exceeded(event: Throttle, name: str, message: str) -> None:
    error = throttling_error([event], SETTINGS)
    assert (error.name, error.message, error.http_status) == (name, message, 400)


def test_where_awss_pages_disagree_a_setting_decides() -> None:
    other = Settings(hot_partition_exception=TE, account_limit_exception=TE)
    assert throttling_error([HOT], other).name == throttling_error([QUOTA], other).name == TE
    assert throttling_error([HOT], other).message == throttling_error([QUOTA], other).message == GENERIC_MESSAGE
    assert throttling_error([GROWTH], other).message == ON_DEMAND_TABLE_MESSAGE


def test_the_on_demand_message_has_the_length_of_a_captured_body() -> None:
    body = {"__type": "com.amazon.coral.availability#ThrottlingException", "message": ON_DEMAND_TABLE_MESSAGE}
    assert len(json.dumps(body, separators=(",", ":"))) == 367


def test_the_sixteen_reasons_and_their_metrics() -> None:
    events = [
        Throttle(limit, access, PROVISIONED, "Rides", index)
        for limit, access, index in product(Limit, Access, (None, "byCity"))
    ]
    assert len({event.reason for event in events}) == 16
    assert len({event.metric for event in events}) == 8
    one = Throttle(Limit.ON_DEMAND_MAXIMUM, Access.READ, ON_DEMAND, "Rides", "byCity")
    assert one.reason == "IndexReadMaxOnDemandThroughputExceeded"
    assert one.metric == "ReadMaxOnDemandThroughputThrottleEvents"


@pytest.mark.parametrize(
    ("event", "wire_type", "member"),
    [
        (RATE, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "ThrottlingReasons"),
        (GROWTH, "com.amazon.coral.availability#ThrottlingException", "throttlingReasons"),
        (QUOTA, "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded", "ThrottlingReasons"),
    ],
)
def test_type_and_the_spelling_of_the_reasons_member_by_exception(event: Throttle, wire_type: str, member: str) -> None:
    error = throttling_error([event], SETTINGS)
    assert (error.wire_type, error.reasons_key) == (wire_type, member)
    assert member in _api_model()["shapes"][error.name]["members"]


def test_reasons_carry_the_arn_of_table_and_index_and_are_listed_once() -> None:
    error = throttling_error([RATE, INDEX_RATE, INDEX_RATE], SETTINGS)
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/Rides"
    assert error.reasons("us-east-1", "000000000000") == [
        {"reason": "TableWriteProvisionedThroughputExceeded", "resource": table},
        {"reason": "IndexWriteProvisionedThroughputExceeded", "resource": f"{table}/index/byCity"},
    ]


def test_batch_write_raises_by_whether_provisioned_rates_did_it_all() -> None:
    assert batch_write_error([RATE, INDEX_RATE], SETTINGS).name == PTEE
    for other in (HOT, GROWTH, QUOTA):
        assert batch_write_error([RATE, other], SETTINGS).name == TE
    assert batch_write_error([GROWTH], SETTINGS).message == ON_DEMAND_TABLE_MESSAGE
    assert batch_write_error([HOT], SETTINGS).message == GENERIC_MESSAGE


def test_batch_get_raises_the_same_exception_always() -> None:
    assert {batch_get_error([event]).name for event in (RATE, HOT, GROWTH, QUOTA)} == {PTEE}


def test_a_transactions_reasons_are_in_order_and_none_is_a_word() -> None:
    decisions = [ADMITTED, Decision((RATE,)), Decision((GROWTH,)), Decision((QUOTA,)), ADMITTED]
    assert cancellation_reasons(decisions, SETTINGS) == [
        {"Code": "None"},
        {"Code": "ProvisionedThroughputExceeded", "Message": PROVISIONED_TABLE_MESSAGE},
        {"Code": "ThrottlingError", "Message": ON_DEMAND_TABLE_MESSAGE},
        {"Code": "ThrottlingError", "Message": ACCOUNT_MESSAGE},
        {"Code": "None"},
    ]


def test_partiql_batch_codes_are_those_of_the_api() -> None:
    codes = [throttling_error([event], SETTINGS).partiql_code for event in (RATE, GROWTH, QUOTA)]
    assert codes == ["ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"]
    assert set(codes) <= set(_api_model()["shapes"]["BatchStatementErrorCodeEnum"]["enum"])


def _api_model() -> dict[str, dict[str, dict[str, object]]]:
    packed = Path(botocore.__file__).parent / "data/dynamodb/2012-08-10/service-2.json.gz"
    return json.loads(gzip.decompress(packed.read_bytes()))
