"""Where the lab is that the tests of tests/integration talk to."""

import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background deaf to Ctrl-C, and its children are too: tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

ABOUT_TOOLS = ("test_cost.py", "test_load_compare.py", "test_load_faults.py", "test_load_users.py")
"""Files of tests/integration that are about commands on this machine more than about the lab, and take minutes. With
--lab container they are left out: tests/containers runs those commands against the containers, and in them."""


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
    where = config.getoption("--lab")
    if where == "embedded":
        return
    left_out = [
        item
        for item in items
        if "integration" in item.path.parts
        and (not _needs_only_the_endpoint(item) or (where == "container" and item.path.name in ABOUT_TOOLS))
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _needs_only_the_endpoint(item: pytest.Item) -> bool:
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
    return "lab" in fixtures and "embedded_lab" not in fixtures
