"""The two ways to ask wild-rydes-ride-fleet for a unicorn."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from .dispatch import FleetError
from .http_json import HttpJson, HttpJsonError
from .ride import Unicorn

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class InvokedFleet:
    """Invokes RequestUnicornInvoke and waits for its answer."""

    client: "LambdaClient"
    function_arn: str

    def request_unicorn(self) -> Unicorn:
        """Return a unicorn, or raise FleetError."""
        try:
            response = self.client.invoke(FunctionName=self.function_arn)
            payload = response["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            raise FleetError(str(error)) from error
        answer = json.loads(payload)
        if "FunctionError" in response:
            # Without the stack trace, which is in the other function's log and is nothing for a requester.
            raise FleetError(f"{answer.get('errorType', 'error')}: {answer.get('errorMessage', '')}")
        return _unicorn(answer)


@dataclass(frozen=True)
class HttpFleet:
    """Calls RequestUnicornApig at ``GET /unicorn``."""

    http: HttpJson
    url: str

    def request_unicorn(self) -> Unicorn:
        """Return a unicorn, or raise FleetError."""
        try:
            return _unicorn(self.http.request("GET", self.url, expected_status=200))
        except HttpJsonError as error:
            raise FleetError(str(error)) from error


def _unicorn(answer: Any) -> Unicorn:
    if not isinstance(answer, dict) or "Name" not in answer:
        raise FleetError(f"the fleet's answer is no unicorn: {json.dumps(answer)[:500]}")
    return answer  # type: ignore[return-value]  # a TypedDict is checked by its maker
