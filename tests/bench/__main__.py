"""Prints every figure; with ``--endpoint URL`` only those of a lab that runs there, beside an embedded one."""

import argparse
import os

from tests.bench import capacity, drain, dynamodb, gateway, generator, lab, permissions, side_by_side, simulator, store


def main() -> None:
    """Print the figures, group by group."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--endpoint", metavar="URL", help="a lab that runs, a container's say")
    endpoint_url = parser.parse_args().endpoint
    print(f"{os.cpu_count()} processors, load before the run {os.getloadavg()[0]:.2f}")
    if endpoint_url:
        side_by_side.main(endpoint_url)
        return
    print("\nThe lab")
    lab.main()
    print("\nAPI Gateway")
    gateway.main()
    print("\nEvents")
    drain.main()
    print("\nThe load generator")
    generator.main()
    print("\nThe capacity model")
    capacity.main()
    print("\nThe DynamoDB store")
    store.main()
    print("\nDynamoDB through the gateway")
    dynamodb.main()
    print("\nPermissions")
    permissions.main()
    print("\nThe simulator")
    simulator.main()


if __name__ == "__main__":
    main()
