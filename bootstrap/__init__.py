"""Deploys the services to a lab, through CloudFormation. boto3 only; the services are read as files."""

from bootstrap.deployment import Outputs, deploy, destroy, outputs
from bootstrap.errors import BootstrapError, DeploymentError, InputError, NoLabError
from bootstrap.functions import Invocation, invoke, logs
from bootstrap.resources import find
from bootstrap.state_machines import Execution, execute
from bootstrap.target import Target

__all__ = [
    "BootstrapError",
    "DeploymentError",
    "Execution",
    "InputError",
    "Invocation",
    "NoLabError",
    "Outputs",
    "Target",
    "deploy",
    "destroy",
    "execute",
    "find",
    "invoke",
    "logs",
    "outputs",
]
