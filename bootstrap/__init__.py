"""Deploys the services to a lab, through CloudFormation. boto3 only; the services are read as files."""

from bootstrap.deployment import Outputs, deploy, destroy, outputs
from bootstrap.errors import BootstrapError, DeploymentError, InputError, NoLabError
from bootstrap.functions import Invocation, invoke, logs
from bootstrap.target import Target

__all__ = [
    "BootstrapError",
    "DeploymentError",
    "InputError",
    "Invocation",
    "NoLabError",
    "Outputs",
    "Target",
    "deploy",
    "destroy",
    "invoke",
    "logs",
    "outputs",
]
