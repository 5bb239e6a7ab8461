"""The page that rides are requested from, in a real browser, on two stages of one lab.

``events`` records a ride after the answer, ``http`` before it; both have a table of one write unit.
"""

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from axe_playwright_python.sync_playwright import Axe
from botocore.config import Config
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

import bootstrap
from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.e2e.conftest import DESKTOP, PHONE, in_browser
from tests.integration.conftest import lab_settings

pytestmark = in_browser

SERVICES = ("wild-rydes", "wild-rydes-ride-fleet", "wild-rydes-ride-record")
UNICORNS = "Arion|Bayard|Brunhilde|Bucephalus|Grane|Marengo|Pegasus|Rocinante|Shadowfax|Sleipnir"
SECONDS = 20_000  # ms: how long to wait for what should be there at once, on a busy machine


@dataclass(frozen=True)
class Stage:
    """A deployed stage: what its stacks say, and the tables behind."""

    settings: Settings
    outputs: bootstrap.Outputs
    dynamodb: Any

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.outputs["wild-rydes"]["SiteUrl"]

    @property
    def rides(self) -> str:
        """The table of records."""
        return self.outputs["wild-rydes-ride-record"]["RideRecordTableName"]

    def recorded(self, ride_id: str) -> Any:
        """Return the record of a ride, in DynamoDB's notation."""
        return self.dynamodb.get_item(TableName=self.rides, Key={"RideId": {"S": ride_id}})["Item"]

    def exhaust_table(self) -> None:
        """Use up what the table of rides has saved up, and leave it in debt for minutes."""
        item = {"RideId": {"S": "large"}, "Filling": {"S": "x" * 390_000}}
        for number in itertools.count():
            try:
                self.dynamodb.put_item(TableName=self.rides, Item=item)
            except self.dynamodb.exceptions.ProvisionedThroughputExceededException:
                return
            assert number < 5, "the table takes everything"

    def make_on_demand(self) -> None:
        """Let the table of rides take every write."""
        self.dynamodb.update_table(TableName=self.rides, BillingMode="PAY_PER_REQUEST")
        self.dynamodb.get_waiter("table_exists").wait(TableName=self.rides, WaiterConfig={"Delay": 1})

    @contextmanager
    def without_unicorns(self) -> Iterator[None]:
        """Empty the stable, and fill it again."""
        table = self.outputs["wild-rydes-ride-fleet"]["UnicornsTableName"]
        unicorns = self.dynamodb.scan(TableName=table)["Items"]
        for unicorn in unicorns:
            self.dynamodb.delete_item(TableName=table, Key={"Name": unicorn["Name"]})
        yield
        for unicorn in unicorns:
            self.dynamodb.put_item(TableName=table, Item=unicorn)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    # Making a table on demand takes a minute on AWS.
    settings = replace(lab_settings(tmp_path_factory.mktemp("lab")), clock_speed=60)
    with emulator.start(settings):
        yield settings


def deployed(settings: Settings, stage: str, design: str, sdk_retry_mode: str) -> Iterator[Stage]:
    """Deploy a stage of its own."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=settings.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        config=Config(retries={"total_max_attempts": 1}),
    )
    outputs = bootstrap.deploy(
        bootstrap.Target(settings.endpoint_url),
        stage=stage,
        design=design,
        services=SERVICES,
        parameters={"SdkRetryMode": sdk_retry_mode},
    )
    yield Stage(settings, outputs, client)
    client.close()


@pytest.fixture(scope="module")
def events(settings: Settings) -> Iterator[Stage]:
    # With retries that last 25 s a ride is recorded as soon as the table takes it again.
    yield from deployed(settings, "events", "event-driven", "legacy")


@pytest.fixture(scope="module")
def http(settings: Settings) -> Iterator[Stage]:
    yield from deployed(settings, "http", "microservices", "standard")


@pytest.fixture
def late(settings: Settings) -> Iterator[Stage]:
    """Deploy a stage whose table takes nothing for minutes."""
    for stage in deployed(settings, "late", "event-driven", "legacy"):
        stage.exhaust_table()
        yield stage


@dataclass
class Visit:
    """A look at the page, by what a person can do there; remembers complaints and requests."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def button(self) -> Locator:
        """What requests a ride."""
        return self.page.get_by_role("button", name="Request a unicorn")

    @property
    def map(self) -> Locator:
        """The map."""
        return self.page.get_by_role("application", name="Map of Seattle")

    @property
    def pick_up(self) -> Locator:
        """The list of places."""
        return self.page.get_by_label("Pick-up")

    @property
    def cards(self) -> Locator:
        """The rides, the newest first."""
        return self.page.get_by_role("list", name="Rides").locator("> li")

    @property
    def error(self) -> Locator:
        """What went wrong."""
        return self.page.get_by_role("alert")

    @property
    def coordinates(self) -> str:
        """Where the pin is, in words."""
        return self.page.locator("#where").inner_text()

    def violations(self) -> list[str]:
        """Audit the page as it is now."""
        results = Axe().run(self.page).response
        return [
            f"{violation['id']}: {node['html']}: {node['failureSummary']}"
            for violation in results["violations"]
            for node in violation["nodes"]
        ]


def visit_in(context: BrowserContext, url: str) -> Visit:
    """Open the page."""
    visit = Visit(context.new_page())
    visit.page.on("console", lambda message: visit.complaints.append(message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.goto(url)
    return visit


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Make a browser's context; parametrise indirectly with what `Browser.new_context` takes."""
    options = {"viewport": {"width": DESKTOP[0], "height": DESKTOP[1]}, **getattr(request, "param", {})}
    context = browser.new_context(**options)
    context.set_default_timeout(SECONDS)
    yield context
    context.close()


ON_A_PHONE = {"viewport": {"width": PHONE[0], "height": PHONE[1]}, "has_touch": True, "is_mobile": True}
on_a_phone = pytest.mark.parametrize("context", [ON_A_PHONE], indirect=True)


# ---- a ride ----


@pytest.mark.parametrize("stage", ["events", "http"])
def test_a_ride_is_requested_promised_and_seen_recorded(
    context: BrowserContext, request: pytest.FixtureRequest, stage: str
) -> None:
    deployment: Stage = request.getfixturevalue(stage)
    visit = visit_in(context, deployment.url)

    visit.map.click(position={"x": 200, "y": 300})
    visit.button.click()

    card = visit.cards.first
    expect(card.get_by_role("heading")).to_have_text(re.compile(rf"^({UNICORNS}), "))
    expect(card).to_contain_text(re.compile(r"Promised after [0-9.]+\s(ms|s)"))
    expect(card).to_contain_text(re.compile(r"Recorded: seen [0-9.]+\s(ms|s) after the promise"), timeout=SECONDS)
    expect(visit.page.get_by_role("status")).to_contain_text("is on the way")
    card.get_by_text("Details").click()
    ride_id = card.locator("dd").first.inner_text()
    assert (
        card.get_by_role("heading").inner_text().startswith(deployment.recorded(ride_id)["Unicorn"]["M"]["Name"]["S"])
    )


def test_the_page_asks_nobody_but_its_stage_and_the_browser_complains_about_nothing(
    context: BrowserContext, events: Stage
) -> None:
    visit = visit_in(context, events.url)
    visit.button.click()
    expect(visit.cards.first).to_contain_text("Recorded", timeout=SECONDS)

    own, others = urlsplit(events.url).netloc, urlsplit(events.settings.endpoint_url).netloc
    assert own != others  # as on AWS: what follows is allowed by CORS, or not at all
    assert {urlsplit(url).netloc for url in visit.requests} == {own, others}
    assert any(url == events.outputs["wild-rydes"]["RequestRideUrl"] for url in visit.requests)
    # Until a record is there it is not found, which Chromium mentions.
    assert [line for line in visit.complaints if "404" not in line] == []


def test_no_page_may_record_a_ride_by_itself(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)

    refused = visit.page.evaluate(
        """url => fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'})
            .then(response => response.status, error => error.name)""",
        events.outputs["wild-rydes-ride-record"]["RideRecordUrl"],
    )

    assert refused == "TypeError"  # the browser's word for an answer that CORS keeps from the page


def test_the_place_that_was_picked_is_the_one_that_is_sent(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    visit.pick_up.select_option("Space Needle")

    with visit.page.expect_request(lambda request: request.method == "POST") as sent:
        visit.button.click()

    place = json.loads(sent.value.post_data or "")["PickupLocation"]
    assert place["Latitude"] == pytest.approx(47.6205, abs=1e-6)
    assert place["Longitude"] == pytest.approx(-122.3493, abs=1e-6)
    expect(visit.cards.first).to_contain_text("comes to Space Needle")


def test_a_click_on_the_map_moves_the_pin_there(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    box = visit.map.bounding_box()
    assert box

    visit.map.click(position={"x": box["width"] / 2, "y": box["height"] / 2})

    pin = visit.page.locator("#pin").bounding_box()
    assert pin
    assert pin["x"] + pin["width"] / 2 == pytest.approx(box["x"] + box["width"] / 2, abs=3)
    # The map's middle, to within two pixels.
    assert re.search(r"47\.61[45]\d° N, 122\.3[34]\d\d° W$", visit.coordinates)
    assert visit.pick_up.input_value() == "A point on the map"


def test_two_rides_stand_below_each_other_the_newest_first(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    for place in ("Alki Beach", "Capitol Hill"):
        visit.pick_up.select_option(place)
        visit.button.click()
        expect(visit.cards.first).to_contain_text(f"comes to {place}")

    expect(visit.cards).to_have_count(2)
    expect(visit.cards.last).to_contain_text("comes to Alki Beach")


# ---- a record that is late ----


def test_a_ride_waits_visibly_until_the_table_takes_it(context: BrowserContext, late: Stage) -> None:
    visit = visit_in(context, late.url)
    visit.page.clock.install()

    visit.button.click()

    card = visit.cards.first
    expect(card).to_contain_text("Waiting for its record")
    visit.page.clock.run_for(11_000)
    expect(card).to_contain_text(re.compile(r"Not recorded yet, after 1[0-9]\.[0-9]\ss\. \w+ comes all the same"))
    assert visit.violations() == []

    visit.page.clock.run_for(16 * 60_000)
    expect(card).to_contain_text("No record after")
    again = card.get_by_role("button", name="Look again")
    expect(again).to_be_visible()

    # Lambda is still trying: what it writes now is the ride of before.
    late.make_on_demand()
    visit.page.clock.resume()
    again.click()

    expect(card).to_contain_text(re.compile(r"Recorded: seen 1[0-9]\smin"), timeout=60_000)
    expect(again).to_be_hidden()


# ---- what can go wrong ----


def test_a_ride_that_could_not_be_recorded_is_not_promised(context: BrowserContext, http: Stage) -> None:
    visit = visit_in(context, http.url)
    visit.button.click()
    expect(visit.cards.first).to_contain_text("Recorded", timeout=SECONDS)
    http.exhaust_table()

    visit.button.click()

    expect(visit.error).to_contain_text("Your ride could not be written down.")
    expect(visit.page.get_by_role("status")).to_have_text("")
    expect(visit.cards).to_have_count(1)
    visit.error.get_by_text("Details").click()
    expect(visit.error).to_contain_text("ProvisionedThroughputExceededException")
    assert visit.violations() == []


def test_a_fleet_without_unicorns_is_told_and_the_next_ride_is_not_haunted_by_it(
    context: BrowserContext, events: Stage
) -> None:
    visit = visit_in(context, events.url)

    with events.without_unicorns():
        visit.button.click()
        expect(visit.error).to_contain_text(["No unicorn can come right now", " Nothing was booked", ""][0])
        expect(visit.error).to_contain_text("Nothing was booked.")
    visit.button.click()

    expect(visit.cards.first).to_contain_text("Promised")
    expect(visit.error).to_be_hidden()


def test_a_lab_that_does_not_answer_is_told(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    visit.page.route("**/ride", lambda route: route.abort("connectionrefused"))

    visit.button.click()

    expect(visit.error).to_contain_text("Wild Rydes cannot be reached.")
    expect(visit.button).to_be_focused()


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (400, "That place cannot be a pick-up."),
        (429, "Everybody wants a unicorn right now."),
        (500, "Something went wrong on our side."),
        (504, "That took too long."),
    ],
)
def test_what_a_gateway_may_answer_has_words_of_its_own(
    context: BrowserContext, events: Stage, status: int, title: str
) -> None:
    def answer(route: Route) -> None:
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"}
        route.fulfill(status=status, headers=headers, body='{"message": "the reason"}')

    visit = visit_in(context, events.url)
    visit.page.route("**/ride", answer)

    visit.button.click()

    expect(visit.error).to_contain_text(title)
    visit.error.get_by_text("Details").click()
    expect(visit.error).to_contain_text(re.compile(rf"{status}.*the reason", re.DOTALL))


def test_a_page_without_its_config_says_what_to_do(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    visit.page.route("**/config.json", lambda route: route.fulfill(status=404))

    visit.button.click()

    expect(visit.error).to_contain_text("This page does not know where to ask for a ride.")
    expect(visit.error).to_contain_text("Deploy the services again")


# ---- for everybody ----


@pytest.mark.parametrize(
    "context",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {**ON_A_PHONE, "color_scheme": "dark"}],
    ids=["light", "dark", "phone"],
    indirect=True,
)
def test_an_audit_finds_no_fault_before_and_after_a_ride(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    assert visit.violations() == []

    visit.button.click()
    expect(visit.cards.first).to_contain_text("Recorded", timeout=SECONDS)

    assert visit.violations() == []


def test_a_ride_by_keyboard_alone(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    keyboard = visit.page.keyboard

    keyboard.press("Tab")
    expect(visit.map).to_be_focused()
    before = visit.coordinates
    keyboard.press("ArrowLeft")
    assert visit.coordinates != before
    assert visit.page.evaluate("scrollY") == 0
    keyboard.press("Shift+ArrowDown")
    keyboard.press("Enter")
    expect(visit.cards).to_have_count(1)

    keyboard.press("Tab")
    expect(visit.pick_up).to_be_focused()
    keyboard.type("Gas")
    assert visit.pick_up.input_value() == "Gas Works Park"
    keyboard.press("Tab")
    expect(visit.button).to_be_focused()
    keyboard.press("Space")
    expect(visit.cards).to_have_count(2)
    expect(visit.cards.first).to_contain_text("comes to Gas Works Park")
    expect(visit.button).to_be_focused()

    for _ in range(2):
        assert visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_pin_stays_on_the_map(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    visit.map.focus()

    for _ in range(40):
        visit.page.keyboard.press("Shift+ArrowUp")
        visit.page.keyboard.press("Shift+ArrowRight")

    assert visit.coordinates.endswith("47.6800° N, 122.2400° W")


@on_a_phone
def test_a_ride_on_a_phone(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    # What is needed is on the first screen, and nothing is wider than that.
    expect(visit.button).to_be_in_viewport(ratio=1)
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    visit.map.tap(position={"x": 150, "y": 200})
    visit.button.tap()

    expect(visit.cards.first).to_contain_text("Recorded", timeout=SECONDS)
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = visit.page.eval_on_selector_all(
        "button:not([hidden]), select", "elements => elements.map(element => element.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44


@pytest.mark.parametrize("context", [{"reduced_motion": "reduce"}, {"reduced_motion": "no-preference"}], indirect=True)
def test_the_unicorn_flies_unless_somebody_wants_no_motion(context: BrowserContext, events: Stage) -> None:
    visit = visit_in(context, events.url)
    reduced = visit.page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")

    visit.button.click()
    expect(visit.page.locator("#flight")).to_be_visible()

    flights = visit.page.evaluate("document.querySelector('#flight').getAnimations().length")
    assert flights == (0 if reduced else 1)
