"""A service's page in its bucket: uploaded with the deployment, kept up to date, gone with the stage."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import bootstrap
from tests.integration.conftest import Lab

STAGE = "site"

PAGE = """
Parameters:
  Stage: {Type: String}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      WebsiteConfiguration: {IndexDocument: index.html}
      PublicAccessBlockConfiguration: {BlockPublicPolicy: false, RestrictPublicBuckets: false}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub "${Bucket.Arn}/*"}]
Outputs:
  SiteUrl: {Value: !GetAtt Bucket.WebsiteURL}
  SiteBucketName: {Value: !Ref Bucket}
"""

OTHER = """
Parameters:
  Stage: {Type: String}
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: !Sub "/site-test/${Stage}", Value: here}
Outputs:
  Where: {Value: !GetAtt Parameter.Value}
  Url: {Value: !Sub "https://abc123.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}/other"}
"""


@pytest.fixture
def services(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    for service, template in (("page", PAGE), ("other", OTHER)):
        (tmp_path / service).mkdir()
        (tmp_path / service / "template.yaml").write_text(template)
    site = tmp_path / "page" / "site"
    site.mkdir()
    (site / "index.html").write_text("<h1>one</h1>")
    (site / "old.css").write_text("h1 {}")
    (site / "config.json").write_text('{"where": "${other.Where}", "url": "${other.Url}"}')
    yield tmp_path
    bootstrap.destroy(bootstrap.Target(lab.endpoint_url), stage=STAGE)


def deploy(lab: Lab, services: Path, *names: str) -> tuple[str, list[str]]:
    """Deploy the services *names* and return the page's URL, and what was said of its files."""
    lines: list[str] = []
    target = bootstrap.Target(lab.endpoint_url)
    bootstrap.deploy(target, stage=STAGE, services_dir=services, services=list(names) or None, progress=lines.append)
    url = bootstrap.outputs(target, stage=STAGE)["page"]["SiteUrl"]
    return url, [line for line in lines if "its page" in line]


def get(url: str) -> tuple[int, str, str]:
    """Return status, content type and body. As a browser does, it takes a name below localhost for this machine."""
    parts = urlsplit(url)
    assert (parts.hostname or "").endswith((".localhost", "127.0.0.1"))
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"Host": parts.netloc})
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read().decode()
    finally:
        connection.close()


def test_the_page_is_served_with_the_addresses_of_its_stage(lab: Lab, services: Path) -> None:
    url, said = deploy(lab, services)

    assert said == [f"page-{STAGE}: uploaded 3 files of its page"]
    assert get(url) == (200, "text/html", "<h1>one</h1>")
    assert get(f"{url}old.css")[1] == "text/css"
    status, kind, body = get(f"{url}config.json")
    assert (status, kind, json.loads(body)) == (
        200,
        "application/json",
        {"where": "here", "url": f"{lab.endpoint_url}/_aws/execute-api/abc123/{STAGE}/other"},
    )


def test_only_what_has_changed_is_uploaded_and_what_is_gone_is_deleted(lab: Lab, services: Path) -> None:
    url, _ = deploy(lab, services)
    assert deploy(lab, services) == (url, [])

    (services / "page" / "site" / "index.html").write_text("<h1>two</h1>")
    (services / "page" / "site" / "old.css").unlink()

    assert deploy(lab, services) == (url, [f"page-{STAGE}: uploaded 1 file of its page"])
    assert get(url)[2] == "<h1>two</h1>"
    assert get(f"{url}old.css")[0] == 404


def test_a_page_learns_of_a_service_that_is_deployed_after_it(lab: Lab, services: Path) -> None:
    url, _ = deploy(lab, services, "page")
    assert json.loads(get(f"{url}config.json")[2]) == {"where": None, "url": None}

    deploy(lab, services, "other")

    assert json.loads(get(f"{url}config.json")[2])["where"] == "here"


def test_where_the_lab_has_another_name_the_page_asks_where_it_came_from(
    lab: Lab, services: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between containers the lab has a name that a browser outside does not know."""
    look_up = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host == "lab.test" else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    port = urlsplit(lab.endpoint_url).port
    target = bootstrap.Target(f"http://lab.test:{port}", allow_remote=True)

    url = bootstrap.deploy(target, stage=STAGE, services_dir=services)["page"]["SiteUrl"]

    bucket, path = re.fullmatch(rf"http://lab\.test:{port}/([^/]+)(/index\.html)", url).groups()  # type: ignore[union-attr]
    assert get(f"{lab.endpoint_url}/{bucket}{path}")[2] == "<h1>one</h1>"
    config = json.loads(get(f"{lab.endpoint_url}/{bucket}/config.json")[2])
    assert config["url"] == f"/_aws/execute-api/abc123/{STAGE}/other"


def test_the_bucket_goes_with_the_stage_although_it_has_files(lab: Lab, services: Path) -> None:
    deploy(lab, services)
    bucket = bootstrap.outputs(bootstrap.Target(lab.endpoint_url), stage=STAGE)["page"]["SiteBucketName"]

    bootstrap.destroy(bootstrap.Target(lab.endpoint_url), stage=STAGE)

    assert bucket not in [one["Name"] for one in lab.client("s3").list_buckets()["Buckets"]]


def test_the_workshops_page_is_served_by_a_deployed_stage(lab: Lab) -> None:
    target = bootstrap.Target(lab.endpoint_url)
    try:
        services = ["wild-rydes", "wild-rydes-ride-fleet", "wild-rydes-ride-record"]
        outputs = bootstrap.deploy(target, stage="pagesite", design="microservices", services=services)
        url = outputs["wild-rydes"]["SiteUrl"]

        assert get(url)[:2] == (200, "text/html")
        assert json.loads(get(f"{url}config.json")[2]) == {
            "rideUrl": outputs["wild-rydes"]["RequestRideUrl"],
            "recordUrl": outputs["wild-rydes-ride-record"]["RideRecordUrl"],
        }
        for script in ("app.js", "map.js", "services.js"):
            assert get(f"{url}{script}")[1] == "text/javascript"
        assert get(f"{url}unicorn.svg")[1] == "image/svg+xml"
    finally:
        bootstrap.destroy(target, stage="pagesite")
