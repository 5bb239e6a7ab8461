"""The sub-command ``load``: sends a scenario's arrivals to what is deployed, and says how they were answered."""

import argparse
import signal
import tempfile
from pathlib import Path

from rydelab.cli import EXIT_INTERRUPTED, Command
from rydelab.errors import RydelabError
from rydelab.lab.cells.stage import find_deployment, urls_of
from rydelab.lab.emulation.observation import Observation
from rydelab.lab.loading import load_summary
from rydelab.lab.loading.load import LOADTESTS, send_scenario
from rydelab.lab.progress import TerminalProgress
from rydelab.lab.scenarios import scenario
from rydelab.report.quantities import count, duration
from rydelab.settings import Settings, add_flags

EXIT_FAILED = 1

DESCRIPTION = """\
Send a scenario's arrivals, on schedule, to a stage that is deployed already, your own services among them, and show how
they were answered, and what tables and functions did meanwhile. docs/own-service.md has an example, begin to end.

Nothing is deployed, changed or waited for: what functions do after the last answer is not counted. For the services of
the workshop `rydelab compare` does more.

examples:
  rydelab load my-service/load.toml --stage try
  rydelab load quick --requests-file answers.csv       loadtests/scenarios/quick.toml, to stage dev

exit status: 0 if every arrival was answered as expected, 1 if not, 2 for bad input, 130 after Ctrl-C (which shows what
there is)."""


class LoadCommandError(RydelabError):
    """The load cannot be sent as asked. The message is for people."""

    exit_status = 2


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help="a TOML file, or a name in loadtests/scenarios")
    add_flags(parser, "stage", "endpoint", "allow_remote")
    parser.add_argument("--requests-file", metavar="FILE", type=Path, help="also write one row per arrival to this CSV")


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    # Whoever ends it kindly gets what there is, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    file = scenario.find(arguments.scenario, folder=LOADTESTS / "scenarios")
    workload = scenario.load(file, with_cells=False)
    urls = urls_of(workload, find_deployment(settings), endpoint_url=settings.endpoint_url)
    arrivals = sum(1 for _ in workload.arrivals())
    observation = Observation(settings.endpoint_url)
    progress = TerminalProgress()
    progress.say(
        f"{count(arrivals)} arrivals in {duration(workload.duration_s * 1000)} to stage {settings.stage} "
        f"at {settings.endpoint_url}"
    )
    tables, functions = observation.tables(), observation.lambda_activity().functions
    with tempfile.TemporaryDirectory(prefix="rydelab-load-") as folder:
        try:
            load = send_scenario(
                file,
                urls=urls,
                requests_to=_checked(arguments.requests_file) or Path(folder) / "requests.csv",
                log_to=Path(folder) / "locust.log",
                progress=lambda answered: progress.show(f"{count(answered)} of {count(arrivals)} arrivals answered"),
            )
        finally:
            progress.done()
    parts = (
        load_summary.answers(load.started, load.requests),
        load_summary.tables(tables, observation.tables()),
        load_summary.functions(functions, observation.lambda_activity().functions),
    )
    print("\n" + "\n\n".join(part for part in parts if part))
    if load.interrupted:
        return EXIT_INTERRUPTED
    all_good = len(load.requests) == arrivals and all(request.accepted for request in load.requests)
    return 0 if all_good else EXIT_FAILED


def _checked(path: Path | None) -> Path | None:
    """Return *path* if it can be written; else complain before anything is sent."""
    if path is not None:
        try:
            path.touch()
        except OSError as error:
            raise LoadCommandError(f"--requests-file {path}: cannot be written: {error.strerror}") from None
    return path


LOAD = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
