"""``/_rydelab/faults``: GET lists faults, POST sets one, DELETE takes one or all back. Form: docs/faults.md."""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from localstack.http import Request, Response
from localstack.runtime import hooks
from localstack.services.edge import ROUTER

from rydelab.faults import KINDS, Fault, FaultError
from rydelab.plugins.faults.registry import ActiveFault, faults

FAULTS_PATH: Final = "/_rydelab/faults"
_REQUIRED: Final = {"kind", "length_s"}
_MEMBERS: Final = _REQUIRED | {"target", "start_s", "parameters"}
_MOST_SHOWN: Final = 20


@hooks.on_infra_start()
def serve_faults() -> None:
    """Add the route to the gateway of this process."""
    ROUTER.add(FAULTS_PATH, _list, methods=["GET"])
    ROUTER.add(FAULTS_PATH, _start, methods=["POST"])
    ROUTER.add(FAULTS_PATH, _stop, methods=["DELETE"])


def _list(_request: Request) -> Response:
    """Faults that are on or to come, and the last that are over."""
    present, ended = faults.all()
    return _json({"faults": [_described(one) for one in present], "ended": [_described(one) for one in ended]})


def _start(request: Request) -> Response:
    """Set the fault that the body describes."""
    try:
        fault = _read(request.get_data())
    except ValueError as error:
        return _json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
    if needs := KINDS[fault.kind].target:
        from rydelab.plugins.faults import targets  # noqa: PLC0415 (it loads the services)

        there_are = targets.names(needs)
        if fault.target not in there_are:
            shown = ", ".join(sorted(there_are)[:_MOST_SHOWN]) or "none"
            more = f" and {len(there_are) - _MOST_SHOWN} more" if len(there_are) > _MOST_SHOWN else ""
            said = f"target = {fault.target!r}: the lab has no such {needs}; it has {shown}{more}"
            return _json({"error": said}, HTTPStatus.NOT_FOUND)
    return _json(_described(faults.start(fault)), HTTPStatus.CREATED)


def _stop(request: Request) -> Response:
    """End the fault ``?id=ID``, or all, now."""
    fault_id = request.args.get("id")
    stopped = faults.stop(fault_id)
    if fault_id is not None and not stopped:
        return _json({"error": f"id = {fault_id!r}: there is no such fault"}, HTTPStatus.NOT_FOUND)
    return _json({"stopped": [_described(one) for one in stopped]})


def _read(body: bytes) -> Fault:
    """Return the fault in the JSON *body*. Raises ValueError."""
    document: Any = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("the body must be an object")  # noqa: TRY004 (as what json raises)
    if missing := sorted(_REQUIRED - document.keys()):
        raise ValueError(f"{missing[0]} is missing")
    if unknown := sorted(document.keys() - _MEMBERS):
        raise FaultError(unknown[0], document[unknown[0]], f"is no member; there are {', '.join(sorted(_MEMBERS))}")
    parameters = document.get("parameters", {})
    if not isinstance(parameters, dict):
        raise FaultError("parameters", parameters, "must be an object")
    return Fault(
        kind=document["kind"],
        # People have names, and programs ARNs and URLs.
        target=str(document.get("target", "")).replace("/", ":").rpartition(":")[2],
        length_s=document["length_s"],
        start_s=document.get("start_s", 0.0),
        parameters=parameters,
    )


def _described(one: ActiveFault) -> Mapping[str, Any]:
    now_s, now = faults.now_s(), time.time()
    fault = one.fault
    state = "waits" if now_s < one.begins_s else "on" if now_s < one.ends_s else "over"
    return {
        "id": one.id,
        "kind": fault.kind,
        "target": fault.target,
        "parameters": dict(fault.parameters),
        "state": state,
        "begins_at": round(now + one.begins_s - now_s, 3),
        "ends_at": round(now + one.ends_s - now_s, 3),
        "hits": one.hits,
    }


def _json(body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")
