"""``GET /_rydelab/status``: says that this is an emulator of ours, whether it is ready, and with which plug-ins."""

import json
import os
import time
from collections.abc import Sequence

from localstack.http import Request, Response
from localstack.runtime import events
from localstack.services.edge import ROUTER

from rydelab.plugins import lab_clock
from rydelab.plugins.permissions.setting import enforced

STATUS_PATH = "/_rydelab/status"


def serve_status(plugins: Sequence[str]) -> None:
    """Add the route to the gateway of this process; *plugins* are the ``group:name`` of the loaded plug-ins."""

    def status(_request: Request) -> Response:
        body = {
            "ready": events.infra_ready.is_set(),
            "pid": os.getpid(),
            "now": time.time(),
            "processor_s": time.process_time(),
            "clock_speed": lab_clock.speed(),
            "enforce_iam": enforced(),
            "lab_dir": os.environ["RYDELAB_LAB_DIR"],
            "in_container": os.environ.get("RYDELAB_IN_CONTAINER") == "1",
            "plugins": list(plugins),
        }
        return Response(json.dumps(body), content_type="application/json")

    ROUTER.add(STATUS_PATH, status, methods=["GET"])
