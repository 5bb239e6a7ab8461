"""What docs say a command prints is what it prints."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from rydelab import cli

ROOT = Path(__file__).parents[2]
PAGES = ("docs/cost.md",)
EXAMPLES = [
    (page, command, output)
    for page in PAGES
    for command, output in re.findall(r"```\n\$ (rydelab [^\n]*)\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
]


def test_there_are_examples_on_every_page() -> None:
    assert {page for page, _, _ in EXAMPLES} == set(PAGES)


@pytest.mark.parametrize(("page", "command", "output"), EXAMPLES, ids=[command for _, command, _ in EXAMPLES])
def test_a_command_on_a_page_prints_what_is_shown(
    page: str, command: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = cli.main(shlex.split(command)[1:])

    assert status == 0
    assert printed.getvalue() == output, f"{page} is out of date"
