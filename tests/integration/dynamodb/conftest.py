"""DynamoDB through the gateway: ``dynamodb`` on the session's lab, ``small`` on a lab with small limits."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rydelab.lab.emulation import emulator
from tests.integration.conftest import lab_settings
from tests.integration.dynamodb.tables import Tables, client_of

UPDATE_DELAY_S = 1.0

SMALL_LIMITS = {
    "UPDATE_DELAY_S": UPDATE_DELAY_S,
    "MODE_SWITCH_DELAY_S": UPDATE_DELAY_S,
    "DECREASE_STOCK": 2,
    # An on-demand table begins with 40 units a second, which is also all that it may ever have, on 4 partitions of 10.
    "ON_DEMAND_READ_RATE": 40,
    "ON_DEMAND_WRITE_RATE": 40,
    "TABLE_READ_QUOTA": 40,
    "TABLE_WRITE_QUOTA": 40,
    "PARTITION_READ_RATE": 10,
    "PARTITION_WRITE_RATE": 10,
    "MAX_DEBT_UNITS": 0,
}


def start(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]) -> Any:
    """Start a lab with these settings of the front."""
    environment = {f"RYDELAB_DYNAMODB_{name}": str(value) for name, value in settings.items()}
    return emulator.start(lab_settings(tmp_path_factory.mktemp("lab")), environment=environment)


@pytest.fixture(scope="session")
def dynamodb(lab: Any) -> Iterator[Tables]:
    """Return the DynamoDB of the session's lab, with AWS's own limits."""
    client = client_of(lab.endpoint_url)
    yield Tables(lab.endpoint_url, client)
    client.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """Return the DynamoDB of a lab with small limits and quick updates."""
    with start(tmp_path_factory, SMALL_LIMITS) as running:
        client = client_of(running.endpoint_url)
        yield Tables(running.endpoint_url, client)
        client.close()


@pytest.fixture(scope="session")
def start_lab(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Return a function that starts a lab with settings of the front."""
    return lambda **settings: start(tmp_path_factory, settings)


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Return a function that waits until something is true, and returns it."""

    def wait(look: Callable[[], Any], timeout_s: float = 15.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (seen := look()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.1)
        return seen

    return wait
