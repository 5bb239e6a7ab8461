"""Writes the report of a run into its folder; the sub-command ``report``: the report of one run, or two compared."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from rydelab.capacity.prices import Prices
from rydelab.cli import Command
from rydelab.errors import RydelabError
from rydelab.lab.own_prices import add_prices_flag, read_prices
from rydelab.report.comparison import compare_runs
from rydelab.report.comparison_text import render_comparison, render_comparison_markdown
from rydelab.report.folder import RunFolderError, read_run
from rydelab.report.markdown import render_markdown
from rydelab.report.page import render_page
from rydelab.report.run import Run
from rydelab.report.terminal import render
from rydelab.settings import Settings

EXIT_WORSE = 1
PAGE, MARKDOWN = "report.html", "report.md"

DESCRIPTION = """\
Show the report of a run again, and write its report.html and report.md anew. With two runs: show what got better and
what got worse from the first to the second, cell by cell, beyond what the repeats of one run differ by (see
`rydelab compare --repeat`).

examples:
  rydelab report results/20261121-024721-quick
  rydelab report results/20261120-181203-quick results/20261121-024721-quick

exit status: 0; 1 if anything is worse in the second run; 2 for a folder without a run."""


class ReportError(RydelabError):
    """A report that cannot be written or made. The message is for people."""

    exit_status = 2


def write_report(folder: Path, prices: Prices | None = None) -> Run:
    """Write the report of the run in *folder* as a page and as Markdown, and return the run. Raises ReportError.

    *prices*: those of the package if None.
    """
    run = _read(folder)
    for name, text in (
        (PAGE, render_page(run, prices=prices)),
        (MARKDOWN, render_markdown(run, prices=prices)),
    ):
        try:
            (folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise ReportError(f"{folder / name}: cannot be written: {error.strerror}") from None
    return run


def _read(folder: Path) -> Run:
    try:
        return read_run(folder)
    except RunFolderError as error:
        raise ReportError(str(error)) from None


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="DIR", type=Path, help="the folder of a run")
    parser.add_argument("later", metavar="DIR", type=Path, nargs="?", help="the folder of a later run to compare with")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="also write what is shown as Markdown")
    add_prices_flag(parser)


def _run(arguments: argparse.Namespace, _settings: Settings) -> int:
    color = Console().is_terminal
    if arguments.later is None:
        prices = read_prices(arguments.prices)
        run = write_report(arguments.run, prices)
        sys.stdout.write(render(run.summary, color=color, prices=prices))
        sys.stdout.write(f"Written: {arguments.run / PAGE}, {arguments.run / MARKDOWN}\n")
        markdown, worse = render_markdown(run, prices=prices), False
    else:
        comparison = compare_runs(_read(arguments.run), _read(arguments.later))
        names = {"before": str(arguments.run), "after": str(arguments.later)}
        sys.stdout.write(render_comparison(comparison, **names, color=color))
        markdown, worse = render_comparison_markdown(comparison, **names), comparison.is_worse
    if arguments.markdown is not None:
        try:
            arguments.markdown.write_text(markdown, encoding="utf-8")
        except OSError as error:
            raise ReportError(f"{arguments.markdown}: cannot be written: {error.strerror}") from None
    return EXIT_WORSE if worse else 0


REPORT = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
