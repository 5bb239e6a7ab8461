"""The lab as a container's program: ``python -m rydelab.lab.emulation.container``; ``--check`` loads the plug-ins only.

It differs from `rydelab up` in three things. It becomes the emulator instead of starting it under a supervisor: what is
left of a container's processes ends with the container. Its log goes to standard output, where the engine collects it.
And it listens on every address of the container: from where that can be reached, the engine decides (docker-compose.yml
publishes on 127.0.0.1 only). On a machine it would be open to the network, so it is refused there.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from rydelab.errors import RydelabError
from rydelab.lab.emulation.localstack_environment import localstack_environment
from rydelab.settings import Settings, resolve

IN_CONTAINER = "RYDELAB_IN_CONTAINER"
"""The variable by which the image says that it is one."""


class ContainerError(RydelabError):
    """Not in a container. The message is for people."""

    exit_status = 2


def main(arguments: Sequence[str]) -> NoReturn:
    """Become the emulator, with what `arguments` add to its command line."""
    try:
        environment = container_environment(resolve({}, os.environ), os.environ)
    except RydelabError as error:
        print(f"rydelab: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    # What a lab left whose container was stopped and is started again.
    shutil.rmtree(environment["TMPDIR"], ignore_errors=True)
    Path(environment["TMPDIR"]).mkdir(parents=True)
    command = [sys.executable, "-P", "-m", "rydelab.plugins.runtime", *arguments]
    os.execve(command[0], command, environment)  # noqa: S606 (no shell is wanted)


def container_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return LocalStack's variables for a lab with *settings* in a container. Raises ContainerError elsewhere."""
    if environ.get(IN_CONTAINER) != "1":
        raise ContainerError(
            f"{IN_CONTAINER} is not set: this module listens on every address, and is for the image; "
            "on a machine use `rydelab up`"
        )
    return localstack_environment(settings, environ) | {"GATEWAY_LISTEN": f"0.0.0.0:{settings.port}"}


if __name__ == "__main__":
    main(sys.argv[1:])
