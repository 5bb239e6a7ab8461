"""``GET /_rydelab/…``: what the lab itself knows about a run, for the tools and the tests."""

import json
from typing import Any, Final

from localstack.http import Request, Response
from localstack.runtime import hooks
from localstack.services.edge import ROUTER

LAMBDA_PATH: Final = "/_rydelab/lambda"


@hooks.on_infra_start()
def serve_observation() -> None:
    """Add the routes to the gateway of this process."""
    ROUTER.add(LAMBDA_PATH, _lambda, methods=["GET"])


def _lambda(_request: Request) -> Response:
    """Per qualified function ARN: asynchronous events queued, waiting for a retry, and running."""
    from rydelab.plugins.lambda_ import async_events  # noqa: PLC0415 (Lambda is loaded when it is first used)

    return _json({"asynchronous_events": async_events.counts()})


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), content_type="application/json")
