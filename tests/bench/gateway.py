"""What API Gateway adds to a request, in this lab's time: the same work through it and by a direct invocation."""

import tempfile
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from statistics import median, quantiles

import urllib3

import bootstrap
from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.bench.figures import show
from tests.bench.lab import SERVICES_DIR, client

CALLS = 1_000
WARM_UP = 50
PORT = 4592
RIDE = b'{"PickupLocation":{"Latitude":47.6,"Longitude":-122.3}}'


def main() -> None:
    """Print the figures of a unicorn and of a ride, each by both ways in turns."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder:
        settings = Settings(port=PORT, data_dir=Path(folder), endpoint_url=f"http://127.0.0.1:{PORT}")
        with emulator.start(settings) as lab:
            target = bootstrap.Target(lab.endpoint_url)
            stages = {
                design: bootstrap.deploy(
                    target, stage=design, design=design, table_mode="on-demand", services_dir=SERVICES_DIR
                )
                for design in ("microservices", "direct-invoke")
            }
            fleet = stages["direct-invoke"]["wild-rydes-ride-fleet"]
            pool = urllib3.PoolManager()
            lambda_ = client(lab.endpoint_url, "lambda")

            def invoke() -> bytes:
                answer: bytes = lambda_.invoke(FunctionName=fleet["RequestUnicornInvokeName"])["Payload"].read()
                return answer

            _compare(
                "a unicorn",
                through_gateway=lambda: _ask(pool, "GET", fleet["RequestUnicornUrl"]),
                direct=invoke,
            )
            urls = {design: outputs["wild-rydes"]["RequestRideUrl"] for design, outputs in stages.items()}
            _compare(
                "a ride whose unicorn is found",
                through_gateway=lambda: _ask(pool, "POST", urls["microservices"], RIDE),
                direct=lambda: _ask(pool, "POST", urls["direct-invoke"], RIDE),
            )


def _ask(pool: urllib3.PoolManager, method: str, url: str, body: bytes | None = None) -> bytes:
    response = pool.request(method, url, body=body)
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise RuntimeError(f"{method} {url} answered {response.status}: {response.data[:200]!r}")
    return response.data


def _compare(what: str, *, through_gateway: Callable[[], bytes], direct: Callable[[], bytes]) -> None:
    """Call both ways in turns, each first every other time, and print how long they took.

    The tenth that was quickest says most on a machine that others use, too.
    """
    ways = [("through API Gateway", through_gateway), ("by a direct invocation", direct)]
    taken_ms: dict[str, list[float]] = {name: [] for name, _ in ways}
    for number in range(WARM_UP + CALLS):
        for name, call in ways if number % 2 else reversed(ways):
            begun = time.perf_counter()
            call()
            if number >= WARM_UP:
                taken_ms[name].append((time.perf_counter() - begun) * 1000)
    for name, values in taken_ms.items():
        show(f"{what} {name}", f"p10 {quantiles(values, n=10)[0]:.1f} ms, median {median(values):.1f} ms")
    gateway, direct_ms = (quantiles(values, n=10)[0] for values in taken_ms.values())
    pairs = [one - other for one, other in zip(*taken_ms.values(), strict=True)]
    show(f"{what}: API Gateway adds", f"p10 {gateway - direct_ms:+.1f} ms, median {median(pairs):+.1f} ms")


if __name__ == "__main__":
    main()
