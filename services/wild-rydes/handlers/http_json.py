"""JSON over HTTP to another service's API, on connections that stay open between invocations."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

# One second less than the function has: when the other side hangs, the requester still gets an answer that says so.
_TIMEOUT_S = 28


class HttpJsonError(Exception):
    """There was no answer, or not the expected one; the message says which."""


@dataclass(frozen=True)
class HttpJson:
    """Sends requests to API Gateway, or through the SDK's endpoint where AWS_ENDPOINT_URL names one.

    The SDK honours AWS_ENDPOINT_URL for every call to AWS; an API's own address is a call to AWS too, so it goes the
    same way, with the API's name in the Host header. Elsewhere that name could not even be resolved.
    """

    endpoint_url: str = ""
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(timeout=_TIMEOUT_S))

    def request(self, method: str, url: str, document: object = None, *, expected_status: int) -> Any:
        """Send *document* as JSON, if there is one, and return the answer's JSON; or raise HttpJsonError."""
        address, headers = through_endpoint(url, self.endpoint_url)
        body = None
        if document is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(document, separators=(",", ":")).encode()
        try:
            response = self._send(method, address, body, headers)
        except HTTPError as error:
            raise HttpJsonError(f"{method} {url} got no answer: {error}") from error
        if response.status != expected_status:
            # The start of the answer says why; the whole of it could be a page.
            reason = response.data[:500].decode(errors="replace")
            raise HttpJsonError(f"{method} {url} answered {response.status}: {reason}")
        try:
            return json.loads(response.data)
        except ValueError as error:
            raise HttpJsonError(f"{method} {url} did not answer JSON: {error}") from error

    def _send(self, method: str, address: str, body: bytes | None, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self.pool.request(method, address, body=body, headers=headers, retries=False)
        except ProtocolError:
            # The other side had closed a connection that we kept open. Sending again is safe: asking for a unicorn
            # changes nothing, and recording the same ride twice leaves one record.
            return self.pool.request(method, address, body=body, headers=headers, retries=False)


def through_endpoint(url: str, endpoint_url: str) -> tuple[str, dict[str, str]]:
    """Return the address to send a request for *url* to, and the headers that it then needs."""
    api = urlsplit(url)
    if not endpoint_url or ".execute-api." not in api.netloc:
        return url, {}
    endpoint = urlsplit(endpoint_url)
    return api._replace(scheme=endpoint.scheme, netloc=endpoint.netloc).geturl(), {"Host": api.netloc}
