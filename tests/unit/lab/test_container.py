"""The lab as the program of a container: where it may listen, and how it differs from one on a machine."""

from pathlib import Path

import pytest

from rydelab.lab.emulation.container import ContainerError, container_environment
from rydelab.lab.emulation.localstack_environment import localstack_environment
from rydelab.settings import Settings

SETTINGS = Settings(port=4001, data_dir=Path("/var/lab"))


@pytest.mark.parametrize("environ", [{}, {"RYDELAB_IN_CONTAINER": "0"}])
def test_on_a_machine_it_does_not_listen_on_every_address(environ: dict[str, str]) -> None:
    with pytest.raises(ContainerError, match=r"RYDELAB_IN_CONTAINER is not set.*`rydelab up`"):
        container_environment(SETTINGS, environ)


def test_only_where_it_listens_differs_from_a_lab_on_a_machine() -> None:
    environ = {"RYDELAB_IN_CONTAINER": "1"}

    differences = set(container_environment(SETTINGS, environ).items()) - set(
        localstack_environment(SETTINGS, environ).items()
    )

    assert differences == {("GATEWAY_LISTEN", "0.0.0.0:4001")}
