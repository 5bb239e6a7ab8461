"""Sends a few rides before the load, so that no arrival meets a cold start."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from rydelab.lab.loading.asking import RIDE_REQUEST, judge_ride

AT_ONCE = 4


def warm_up(ride_url: str, *, rides: int, timeout_s: float) -> frozenset[str]:
    """Request *rides* rides, some at once, and return the RideIds of those that were accepted."""

    def request_ride(_number: int) -> str | None:
        parts = urlsplit(ride_url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        try:
            connection.request("POST", parts.path, json.dumps(RIDE_REQUEST), {"Content-Type": "application/json"})
            response = connection.getresponse()
            ride_id, error = judge_ride(response.status, response.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return None if error else ride_id

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return frozenset(ride_id for ride_id in pool.map(request_ride, range(rides)) if ride_id)
