"""Requests to services of one's own, as a scenario describes them under ``[requests.NAME]``. Pure."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template

from rydelab.errors import RydelabError
from rydelab.lab.loading.asking import Asking, judge_status
from rydelab.lab.scenarios.toml_table import TomlTable

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LOWEST_STATUS, HIGHEST_STATUS = 100, 599

_KIND = re.compile(r"[a-z][a-z0-9-]*")
_URL = re.compile(r"(?P<service>[A-Za-z][A-Za-z0-9-]*)\.(?P<output>[A-Za-z0-9]+)(?P<rest>(?:[/?].*)?)")


class UnknownOutputError(RydelabError):
    """A stage does not have the output that a request goes to. The message is for people."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request, and the answer that is expected to it."""

    kind: str
    """Its name in the scenario."""
    url: str
    """``SERVICE.OUTPUT`` of the stage, and what is to follow that URL, such as a path or a query."""
    method: str = "GET"
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    """Any other answer is a failure."""

    def url_in(self, outputs: Mapping[str, Mapping[str, str]], *, stage: str, endpoint_url: str) -> str:
        """Find the request's URL in the *outputs* of *stage*: service, output, value. Raises UnknownOutputError."""
        match = _URL.fullmatch(self.url)
        assert match  # noqa: S101 (as it was read)
        wanted = f"requests.{self.kind}.url = {self.url!r}: stage {stage}"
        service = outputs.get(match["service"])
        if service is None:
            raise UnknownOutputError(f"{wanted} has no service {match['service']}; there is: {_listed(outputs)}")
        value = service.get(match["output"])
        if value is None:
            raise UnknownOutputError(
                f"{wanted} has no output {match['output']} of {match['service']}; there is: {_listed(service)}"
            )
        if not value.startswith(f"{endpoint_url}/"):
            raise UnknownOutputError(f"{wanted} has {value!r} there, which is no URL of the lab at {endpoint_url}")
        return value + match["rest"]

    def asking(self, url: str, *, number: int) -> Asking:
        """Make the request of arrival *number* to *url*: ``${arrival}`` in it is that number, ``${uuid}`` a new id."""
        values = {"arrival": str(number), "uuid": str(uuid.uuid4())}

        def filled_in(text: str) -> str:
            return Template(text).safe_substitute(values)

        def judge(status: int | None, body: bytes | str | None, *, failure: str = "") -> tuple[None, str]:
            return None, judge_status(status, body, wanted=self.status, failure=failure)

        json_body = {} if self.body is None else {"Content-Type": "application/json"}
        return Asking(
            name=self.kind,
            method=self.method,
            url=filled_in(url),
            judge=judge,
            body=None if self.body is None else filled_in(self.body).encode(),
            headers={**json_body, **self.headers},
        )


def read_requests(table: TomlTable) -> dict[str, OwnRequest]:
    """Read the tables under ``[requests]``, at least one. Raises ScenarioError."""
    requests = {kind: _read(kind, table) for kind in table.left}
    if not requests:
        raise table.error("NAME", {}, "there must be one request at least, as [requests.NAME]")
    return requests


def _read(kind: str, requests: TomlTable) -> OwnRequest:
    if not _KIND.fullmatch(kind):
        raise requests.error(kind, kind, "the name of a request must be lower-case letters, digits and hyphens")
    table = requests.table(kind)
    url = table.text("url")
    if not _URL.fullmatch(url):
        raise table.error("url", url, "must be SERVICE.OUTPUT, such as my-service.ItemsUrl, and may go on with a path")
    headers = table.table("headers")
    request = OwnRequest(
        kind=kind,
        url=url,
        method=table.choice("method", METHODS, default="GET"),
        body=table.text("body") if table.has("body") else None,
        headers={name: headers.text(name) for name in headers.left},
        status=table.integer("status", default=200, least=LOWEST_STATUS, most=HIGHEST_STATUS),
    )
    table.expect_nothing_else()
    return request


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "nothing"
