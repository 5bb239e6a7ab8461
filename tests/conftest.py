"""Where the lab is that the tests of tests/integration talk to."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--lab",
        metavar="WHERE",
        default="embedded",
        help="embedded: a process of this machine (default); container: one of docker-compose.yml, started for the "
        "tests; or the URL of a lab that runs. With the last two only those tests of tests/integration are run that "
        "reach the lab by its endpoint alone (fixture lab)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--lab") == "embedded":
        return
    left_out = [item for item in items if "integration" in item.path.parts and not _needs_only_the_endpoint(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _needs_only_the_endpoint(item: pytest.Item) -> bool:
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
    return "lab" in fixtures and "embedded_lab" not in fixtures
