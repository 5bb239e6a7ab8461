"""Reads what the lab knows of itself and AWS would not tell: ``/_rydelab/…`` (see rydelab.plugins.observation)."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rydelab.errors import RydelabError

LAMBDA_PATH = "/_rydelab/lambda"


class ObservationError(RydelabError):
    """The lab does not say what was asked. The message is for people."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Asks the lab at *endpoint_url*."""

    endpoint_url: str
    timeout_s: float = 10.0

    def asynchronous_events(self, function_name: str) -> int:
        """Count the events of a function that Lambda has taken and not finished: queued, retrying and running.

        Raises ObservationError.
        """
        events = self._get(LAMBDA_PATH).get("asynchronous_events", {})
        # By qualified ARN: arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER.
        return sum(sum(counts.values()) for arn, counts in events.items() if f":function:{function_name}:" in arn)

    def _get(self, path: str) -> Any:
        parts = urlsplit(self.endpoint_url)
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = make(parts.hostname or "", parts.port, timeout=self.timeout_s)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ObservationError(f"the lab at {self.endpoint_url} does not answer any more: {error}") from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise ObservationError(f"the lab at {self.endpoint_url} answered {response.status} to GET {path}")
        return json.loads(body)
