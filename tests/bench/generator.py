"""The load generator: how many arrivals a second one Locust process sends on time."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rydelab.lab.loading.load import send_scenario
from tests.bench.figures import show

RATES_PER_S = (500, 800)
DURATION_S = 10
LATE_S = 0.050
MOST_LATE_RATIO = 0.01


def main() -> None:
    """Print the figures of the generator."""
    command = [sys.executable, "-m", "tests.bench.trivial_endpoint"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as endpoint:
        try:
            assert endpoint.stdout is not None
            url = endpoint.stdout.readline().strip()
            for rate_per_s in RATES_PER_S:
                measure(url, rate_per_s)
        finally:
            endpoint.kill()


def measure(url: str, rate_per_s: int) -> None:
    """Send *rate_per_s* arrivals a second to an endpoint that does nothing."""
    with TemporaryDirectory(prefix="rydelab-bench-") as folder:
        scenario = Path(folder) / "bench.toml"
        scenario.write_text(
            f"[[phases]]\nduration_s = {DURATION_S}\narrivals_per_s = {rate_per_s}\n"
            '[[cells]]\ndesign = "microservices"\ntable_mode = "on-demand"\n'
        )
        load = send_scenario(
            scenario,
            urls={"ride": url},
            requests_to=Path(folder) / "requests.csv",
            log_to=Path(folder) / "locust.log",
        )
    accepted = sum(request.accepted for request in load.requests)
    late = sum(request.late_s > LATE_S for request in load.requests) / len(load.requests)
    whole = accepted == rate_per_s * DURATION_S
    met = (whole and late < MOST_LATE_RATIO) if rate_per_s == RATES_PER_S[0] else None
    show(
        f"one Locust process, {rate_per_s} arrivals/s: later than {LATE_S * 1000:.0f} ms",
        f"{late:.2%}, {accepted} accepted",
        "< 1 %" if met is not None else "",
        met=met,
    )
