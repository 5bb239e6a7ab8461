"""docs/questions.md: its commands exist, its links lead somewhere, and what can be run here prints what it shows."""

import contextlib
import io
import re
import shlex
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

import pytest

import bootstrap.cli
from rydelab import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in re.findall(r"^\$ (.+)$", block, re.MULTILINE)]
OURS = sorted(
    {
        part.strip(" &")
        for line in LINES
        for part in re.findall(r"(?:rydelab \w+|python -m bootstrap \w+)[^;|&]*", line)
        # A service of one's own has a page, and a test, of its own.
        if "coffee-shop" not in part
    }
)


@pytest.mark.parametrize("command", OURS)
def test_each_command_is_one_that_there_is(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "rydelab":
        module, attribute = cli.COMMANDS[words[1]][0].split(":")
        parser = ArgumentParser()
        getattr(import_module(module), attribute).add_arguments(parser)
        parser.parse_args(words[2:])
    else:
        bootstrap.cli._parser({}).parse_args(words[3:])


def test_each_file_that_a_command_reads_is_there() -> None:
    files = {word for line in LINES for word in line.split() if word.startswith(("services/", "docs/"))}

    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("command", [command for command in OURS if command.startswith("rydelab cost")])
def test_costs_are_what_the_command_prints(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = (block.partition("\n")[2] for block in BLOCKS if block.startswith(f"$ {command}\n"))
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert cli.main(shlex.split(command)[1:]) == 0

    assert printed.getvalue().startswith(shown), "the page is out of date"


def test_what_grep_finds_in_a_template_is_what_it_finds_now() -> None:
    for block in BLOCKS:
        for file, shown in re.findall(r"^\$ grep [^\n]* (services/\S+)\n((?:\d+[:-].*\n)+)", block, re.MULTILINE):
            lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
            for number, text in re.findall(r"^(\d+)[:-](.*)$", shown, re.MULTILINE):
                assert lines[int(number) - 1] == text, f"{file}: line {number}"


def test_each_link_leads_to_a_heading() -> None:
    for file, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", PAGE):
        text = (ROOT / "docs" / file).read_text(encoding="utf-8") if file else PAGE
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in anchors, f"{file}#{anchor}"


def test_each_question_has_a_command_with_its_output() -> None:
    for question, answer in re.findall(r"^## (.+\?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        shows = "```" in answer or re.search(r"\]\(#", answer)
        assert shows, question
