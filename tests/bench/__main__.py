"""Prints every figure."""

import os

from tests.bench import capacity, drain, dynamodb, gateway, generator, lab, permissions, simulator, store


def main() -> None:
    """Print the figures, group by group."""
    print(f"{os.cpu_count()} processors, load before the run {os.getloadavg()[0]:.2f}")
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
