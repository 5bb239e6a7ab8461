"""The sub-command ``doctor``."""

import argparse
import json
from dataclasses import asdict

from rydelab.cli import Command
from rydelab.lab.commands.checkup import Finding, checkup
from rydelab.settings import Settings, add_flags

DESCRIPTION = """\
Say what this machine has and lacks for a lab, and the command that mends each. Nothing is changed.

A line that begins with "problem" keeps `rydelab up` or `rydelab compare` from working as it should. A "note" is about
something that only other things need, such as containers, or that may be kept, such as the files of a former lab.

examples:
  rydelab doctor
  rydelab doctor --port 4567 --data-dir /var/tmp/lab
  rydelab doctor --json | jq -r '.findings[] | select(.state == "problem") | .mend'

The exit status is 0 if there is no problem, else 1."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_flags(parser, "port", "data_dir")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    findings = []
    for finding in checkup(settings):
        findings.append(finding)
        if not arguments.json:
            print(_line(finding), flush=True)
    problems = [finding for finding in findings if finding.state == "problem"]
    if arguments.json:
        print(json.dumps({"ok": not problems, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        print(f"\n{_count(len(problems))}." if problems else "\nNothing keeps a lab from running.")
    return 1 if problems else 0


def _line(finding: Finding) -> str:
    mend = f"\n{'':<22}to mend it: {finding.mend}" if finding.mend else ""
    return f"{finding.state:<9}{finding.about:<13}{finding.found}{mend}"


def _count(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"


DOCTOR = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
