"""Finds what a stage on a running lab offers, or says in a sentence what to do about it."""

import bootstrap
from rydelab.errors import RydelabError
from rydelab.lab.cells.deployment import Deployment, describe
from rydelab.lab.scenarios.scenario import Scenario
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


def urls_of(workload: Scenario, deployment: Deployment, *, endpoint_url: str) -> dict[str, str]:
    """Return where each kind of arrival in *workload* goes. Raises StageError, and UnknownOutputError."""
    urls = {
        kind: own.url_in(deployment.outputs, stage=deployment.stage, endpoint_url=endpoint_url)
        for kind, own in workload.requests.items()
        if kind in workload.mix
    }
    urls |= {kind: url for kind, url in deployment.urls.items() if kind in workload.mix and kind not in urls}
    if none := [kind for kind in workload.mix if kind not in urls]:
        raise StageError(f"stage {deployment.stage} has no URL for: {', '.join(none)}")
    return urls
