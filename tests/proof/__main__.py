"""Runs the whole family and prints what became of every ride; the exit status is 1 if one is lost."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.proof.family import whole_family
from tests.proof.stage import LAB_ENVIRONMENT, Proven, deployed

CLOCK_SPEED = 60.0
START_S, LENGTH_S = 0.5, 5.0
DEFAULT_PORT = 4596


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument(
        "--rides", type=int, default=280, help="per case (default 280, which is 20,000 and more in all)"
    )
    parser.add_argument("--per-s", type=float, default=40.0, help="rides a second (default 40)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"of the lab (default {DEFAULT_PORT})")
    parser.add_argument("--only", default="", help="only cases whose name has this text")
    arguments = parser.parse_args()
    cases = [case for case in whole_family(start_s=START_S, length_s=LENGTH_S) if arguments.only in str(case)]
    url = f"http://127.0.0.1:{arguments.port}"
    begun_s = time.monotonic()
    proven: list[Proven] = []
    with tempfile.TemporaryDirectory(prefix="rydelab-proof-") as folder:
        settings = Settings(port=arguments.port, data_dir=Path(folder), endpoint_url=url, clock_speed=CLOCK_SPEED)
        with emulator.start(settings, environment=LAB_ENVIRONMENT) as lab:
            print(
                f"{len(cases)} cases of {arguments.rides} rides, {arguments.per_s:g} a second, clock x {CLOCK_SPEED:g}"
            )
            for design, group in groupby(cases, lambda case: case.design):
                with deployed(lab.endpoint_url, design) as stage:
                    for case in group:
                        one = stage.prove(case, rides=arguments.rides, per_s=arguments.per_s)
                        proven.append(one)
                        print(row(one), flush=True)
    print(total(proven, took_s=time.monotonic() - begun_s))
    return 0 if proven and all(one.is_whole for one in proven) else 1


def row(one: Proven) -> str:
    """Return what became of the rides of one case, on one line."""
    ledger = one.ledger
    verdict = "" if one.is_whole else f"  NOT WHOLE: {sorted(one.missing)[:3]} {'; '.join(ledger.mismatches)}"
    return (
        f"{one.case!s:<56} accepted {one.accepted:>4}  recorded {ledger.recorded:>4}  "
        f"dead-lettered {ledger.dead_lettered:>3}  in flight {ledger.in_flight}  lost {ledger.lost}  "
        f"ghosts {ledger.ghost:>2}  rewrites {ledger.rewrites:>3}  after redrive missing {len(one.missing)}  "
        f"met {'+'.join(map(str, one.hits)):>9}  {one.took_s:>3.0f} s{verdict}"
    )


def total(proven: Sequence[Proven], *, took_s: float) -> str:
    """Return what became of all rides together."""
    ledgers = [one.ledger for one in proven]
    return (
        f"\n{len(proven)} cases in {took_s / 60:.0f} min: {sum(one.arrivals for one in ledgers):,} rides asked for, "
        f"{sum(one.accepted for one in proven):,} accepted; of those "
        f"{sum(one.recorded for one in ledgers):,} recorded and {sum(one.dead_lettered for one in ledgers):,} "
        f"dead-lettered when the faults were over, {sum(one.lost for one in ledgers)} lost; after the redrive "
        f"{sum(one.accepted - len(one.missing) for one in proven):,} recorded, "
        f"{sum(len(one.missing) for one in proven)} missing. "
        f"{sum(one.rewrites or 0 for one in ledgers):,} records were written more than once."
    )


if __name__ == "__main__":
    sys.exit(main())
