import json
import uuid

import pytest

from rydelab.lab.loading.asking import Asking
from rydelab.lab.scenarios.own_requests import OwnRequest, UnknownOutputError
from rydelab.lab.scenarios.scenario import parse
from rydelab.lab.scenarios.toml_table import ScenarioError

PHASES = """
[[phases]]
duration_s = 2
arrivals_per_s = 5
"""

SHOP = """
[requests.order]
method = "POST"
url = "shop.ShopUrl/orders"
body = '{"Id": "${uuid}", "Number": ${arrival}, "Price": "$5"}'
headers = {Authorization = "me"}
status = 201

[requests.menu]
url = "shop.ShopUrl/menu?page=2"
"""

LAB = "http://127.0.0.1:4566"
OUTPUTS = {
    "shop": {"ShopUrl": f"{LAB}/_aws/execute-api/abc/Prod", "Elsewhere": "https://example.com/", "Name": "shop"},
    "other": {},
}


def requests(text: str) -> dict[str, OwnRequest]:
    return dict(parse(PHASES + text, source="my.toml", name="my").requests)


def asked(request: OwnRequest, *, number: int = 7) -> Asking:
    url = request.url_in(OUTPUTS, stage="try", endpoint_url=LAB)
    return request.asking(url, number=number)


def test_a_request_is_sent_as_it_was_written() -> None:
    order = asked(requests(SHOP)["order"])

    assert (order.name, order.method) == ("order", "POST")
    assert order.url == f"{LAB}/_aws/execute-api/abc/Prod/orders"
    assert order.headers == {"Content-Type": "application/json", "Authorization": "me"}
    body = json.loads(order.body or b"")
    assert (body["Number"], body["Price"]) == (7, "$5")
    assert uuid.UUID(body["Id"])


def test_each_arrival_has_an_id_of_its_own() -> None:
    order = requests(SHOP)["order"]

    assert asked(order).body != asked(order).body


def test_what_is_not_said_is_a_plain_get() -> None:
    menu = asked(requests(SHOP)["menu"])

    assert (menu.method, menu.body, menu.headers) == ("GET", None, {})
    assert menu.url.endswith("/Prod/menu?page=2")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (201, b"{}", ""),
        (200, b"{}", "200"),
        (503, b'{"message": "closed"}', "503 closed"),
        (502, b"<html>", "502"),
        (None, None, "no answer: timed out"),
    ],
)
def test_only_the_expected_answer_is_a_good_one(status: int | None, body: bytes | None, error: str) -> None:
    failure = "" if status else "no answer: timed out"

    assert asked(requests(SHOP)["order"]).judge(status, body, failure=failure) == (None, error)


def test_a_scenario_of_ones_own_has_equal_shares_unless_it_says_otherwise() -> None:
    assert parse(PHASES + SHOP, source="my.toml", name="my").mix == {"order": 1, "menu": 1}
    mixed = parse(PHASES + SHOP + "[mix]\norder = 3\nmenu = 1", source="my.toml", name="my")
    kinds = [arrival.kind for arrival in mixed.arrivals()]

    assert (kinds.count("order"), kinds.count("menu")) == (8, 2)
    assert mixed.cells == ()


def test_loads_with_other_requests_are_told_apart() -> None:
    one, other = (
        parse(PHASES + text, source="my.toml", name="my") for text in (SHOP, SHOP.replace("page=2", "page=3"))
    )

    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("cafe.ShopUrl", "stage try has no service cafe; there is: other, shop"),
        ("shop.Url", "stage try has no output Url of shop; there is: Elsewhere, Name, ShopUrl"),
        ("other.Url", "stage try has no output Url of other; there is: nothing"),
        ("shop.Elsewhere", f"stage try has 'https://example.com/' there, which is no URL of the lab at {LAB}"),
        ("shop.Name", f"stage try has 'shop' there, which is no URL of the lab at {LAB}"),
    ],
)
def test_a_request_to_what_is_not_in_the_stage_is_refused(url: str, complaint: str) -> None:
    request = requests(f'[requests.look]\nurl = "{url}"')["look"]

    with pytest.raises(UnknownOutputError) as error:
        request.url_in(OUTPUTS, stage="try", endpoint_url=LAB)
    assert str(error.value) == f"requests.look.url = {url!r}: {complaint}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[requests]", "my.toml: requests.NAME = {}: there must be one request at least, as [requests.NAME]"),
        ("[requests.look]", "my.toml: requests.look.url is missing"),
        ('[requests.look]\nurl = "http://x"', "my.toml: requests.look.url = 'http://x': must be SERVICE.OUTPUT"),
        ('[requests.look]\nurl = "a.B"\nmethod = "get"', "my.toml: requests.look.method = 'get': must be one of GET,"),
        (
            '[requests.look]\nurl = "a.B"\nstatus = 99',
            "my.toml: requests.look.status = 99: must be a whole",
        ),
        (
            '[requests.look]\nurl = "a.B"\nbodi = "x"',
            "my.toml: requests.look.bodi = 'x': is not a setting here; did",
        ),
        ('[requests."a b"]\nurl = "a.B"', "my.toml: requests.a b = 'a b': the name of a request must be lower-case"),
        ('[requests.look]\nurl = "a.B"\n[mix]\nride = 1', "my.toml: mix.ride = 1: is not a setting here"),
        ('[requests.look]\nurl = "a.B"\n[[cells]]\ndesign = "queued"', "my.toml: cells = "),
    ],
)
def test_a_mistake_is_named_with_file_key_and_value(text: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as error:
        requests(text)
    assert str(error.value).startswith(complaint)
