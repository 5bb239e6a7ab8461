import socket

import pytest

from bootstrap import InputError, NoLabError, Target, outputs, urls


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:4566"])
def test_this_machine_may_be_the_target(url: str) -> None:
    assert Target(url).endpoint_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://localstack:4566",
        "https://dynamodb.us-east-1.amazonaws.com",
        "http://10.0.0.1:4566",
        "http://127.0.0.1.example.com:4566",
        "http://localhost.example.com",
    ],
)
def test_another_machine_may_only_if_it_is_allowed(url: str) -> None:
    with pytest.raises(InputError, match="is not this machine"):
        Target(url)

    assert Target(url, allow_remote=True).endpoint_url == url


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:4566", "ftp://127.0.0.1", "http://", "http://127.0.0.1:4566/path", "http://127.0.0.1:99999"]
)
def test_what_is_not_a_url_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="endpoint"):
        Target(url)


def test_without_a_lab_the_error_says_what_to_run() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(
            NoLabError, match=f"no lab answers at .*:{port} .*start one with `rydelab up --port {port}`"
        ):
            outputs(Target(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("value", "reachable"),
    [
        (
            "https://abc123.execute-api.us-east-1.amazonaws.com/dev/ride",
            "http://127.0.0.1:4567/_aws/execute-api/abc123/dev/ride",
        ),
        # As LocalStack writes it, with its own address for the suffix.
        (
            "https://abc123.execute-api.127.0.0.1:4566/dev/ride",
            "http://127.0.0.1:4567/_aws/execute-api/abc123/dev/ride",
        ),
        (
            "http://localstack:4566/_aws/execute-api/abc123/dev/ride",
            "http://127.0.0.1:4567/_aws/execute-api/abc123/dev/ride",
        ),
        (
            "http://b-1.s3-website-us-east-1.amazonaws.com",
            "http://b-1.s3-website.localhost:4567/",
        ),
        ("http://b-1.s3-website.127.0.0.1:4566", "http://b-1.s3-website.localhost:4567/"),
        ("arn:aws:sns:us-east-1:000000000000:topic", "arn:aws:sns:us-east-1:000000000000:topic"),
        (
            "http://127.0.0.1:4566/queue/us-east-1/000000000000/q",
            "http://127.0.0.1:4566/queue/us-east-1/000000000000/q",
        ),
    ],
)
def test_the_url_of_an_api_or_a_website_leads_to_the_lab(value: str, reachable: str) -> None:
    assert urls.reachable(value, "http://127.0.0.1:4567") == reachable


def test_a_website_of_a_lab_elsewhere_is_reached_by_its_bucket_s_path() -> None:
    url = urls.reachable("http://b-1.s3-website.127.0.0.1:4566", "http://localstack:4566")

    assert url == "http://localstack:4566/b-1/index.html"
