"""Invoker: invokes another function, which it knows by its ARN."""

import functools
import json
import os
from typing import TYPE_CHECKING, Any

import boto3

from .log import logger

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class InvokedFunctionError(Exception):
    """The other function failed; the message has its error."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Hand *event* to LambdaToInvoke and return its answer. Its failure becomes this function's."""
    return invoke(_client(), os.environ["LAMBDA_TO_INVOKE_ARN"], event)


def invoke(client: "LambdaClient", function_arn: str, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke the function *function_arn* with *event* and wait for its answer. Raises InvokedFunctionError."""
    response = client.invoke(
        FunctionName=function_arn, InvocationType="RequestResponse", Payload=json.dumps(event).encode()
    )
    answer: dict[str, Any] = json.load(response["Payload"])
    if "FunctionError" in response:
        # The call itself went well. Who does not look here takes the description of an error for an answer.
        raise InvokedFunctionError(f"{answer.get('errorType', 'error')}: {answer.get('errorMessage', '')}")
    logger().info("%s", answer)
    return answer


@functools.cache
def _client() -> "LambdaClient":
    """Make the client; once per execution environment."""
    return boto3.client("lambda")
