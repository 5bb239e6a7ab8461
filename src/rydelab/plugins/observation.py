"""``GET /_rydelab/…``: what the lab itself knows about a run, for the tools and the tests."""

import json
from http import HTTPStatus
from typing import Any, Final

from localstack.http import Request, Response
from localstack.runtime import hooks
from localstack.services.edge import ROUTER

LAMBDA_PATH: Final = "/_rydelab/lambda"
DYNAMODB_PATH: Final = "/_rydelab/dynamodb"
DYNAMODB_RESET_PATH: Final = "/_rydelab/dynamodb/reset"
DYNAMODB_WRITES_PATH: Final = "/_rydelab/dynamodb/writes"


@hooks.on_infra_start()
def serve_observation() -> None:
    """Add the routes to the gateway of this process."""
    ROUTER.add(LAMBDA_PATH, _lambda, methods=["GET"])
    ROUTER.add(DYNAMODB_PATH, _dynamodb, methods=["GET"])
    ROUTER.add(DYNAMODB_RESET_PATH, _reset_dynamodb, methods=["POST"])
    ROUTER.add(DYNAMODB_WRITES_PATH, _writes, methods=["GET"])
    ROUTER.add(DYNAMODB_WRITES_PATH, _begin_writes, methods=["POST"])


def _lambda(_request: Request) -> Response:
    """Per qualified function ARN: asynchronous events queued, waiting for a retry, and running. Per function: counters.

    The counters are `rydelab.plugins.lambda_.activity`'s.
    """
    from rydelab.plugins.lambda_ import activity, async_events  # noqa: PLC0415 (Lambda is loaded when first used)

    return _json({"asynchronous_events": async_events.counts(), "functions": activity.counts()})


def _dynamodb(request: Request) -> Response:
    """Tables and their capacity, second by second: ``?table=NAME&since=UNIX_TIME&series=0``."""
    from rydelab.plugins.dynamodb import observation, provider  # noqa: PLC0415 (loaded with the service)

    since, series = request.args.get("since", "0"), request.args.get("series", "1")
    try:
        since_s = float(since)
    except ValueError:
        return _json({"error": f"since must be a Unix time, got {since!r}"}, HTTPStatus.BAD_REQUEST)
    if series not in ("0", "1"):
        return _json({"error": f"series must be 0 or 1, got {series!r}"}, HTTPStatus.BAD_REQUEST)
    name = request.args.get("table")
    return _json(observation.observe(provider.metered_tables(), name=name, since=since_s, series=series == "1"))


def _reset_dynamodb(request: Request) -> Response:
    """Forget the seconds of all tables, or of ``?table=NAME``."""
    from rydelab.plugins.dynamodb import observation, provider  # noqa: PLC0415 (as above)

    return _json(observation.reset(provider.metered_tables(), name=request.args.get("table")))


def _begin_writes(request: Request) -> Response:
    """Begin to note the writes of all tables, or of ``?table=NAME``, item by item."""
    from rydelab.plugins.dynamodb import observation, provider  # noqa: PLC0415 (as above)

    return _json(observation.begin_writes(provider.metered_tables(), name=request.args.get("table")))


def _writes(request: Request) -> Response:
    """List the keys of all tables, or of ``?table=NAME``, and when and how often each item was written."""
    from rydelab.plugins.dynamodb import observation, provider  # noqa: PLC0415 (as above)

    return _json(observation.writes(provider.metered_tables(), name=request.args.get("table")))


def _json(body: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")
