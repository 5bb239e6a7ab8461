"""Finds what a stage on a running lab offers, or says in a sentence what to do about it."""

import bootstrap
from rydelab.errors import RydelabError
from rydelab.lab.deployment import Deployment, describe
from rydelab.settings import Settings


class StageError(RydelabError):
    """No lab answers, or nothing is deployed under the stage. The message is for people."""

    exit_status = 2


def find_deployment(settings: Settings) -> Deployment:
    """Read what is deployed under ``settings.stage``. Raises StageError."""
    endpoint_url = settings.endpoint_url
    try:
        target = bootstrap.Target(endpoint_url, allow_remote=settings.allow_remote)
        outputs = bootstrap.outputs(target, stage=settings.stage)
    except bootstrap.BootstrapError as error:
        raise StageError(str(error)) from error
    if not any(outputs.values()):
        raise StageError(
            f"nothing is deployed under stage {settings.stage} at {endpoint_url}: deploy the services with "
            f"`python -m bootstrap deploy --stage {settings.stage}`, or name another stage in RYDELAB_STAGE"
        )
    return describe(outputs, stage=settings.stage)
