"""What is refused before anything runs."""

import base64
import json

import pytest
from localstack.aws.api import CommonServiceException, ServiceException

from rydelab.plugins.lambda_ import limits


@pytest.mark.parametrize(
    ("payload", "invocation_type"),
    [
        (None, None),
        (b"", "Event"),
        (b"null", None),
        (b'"' + b"x" * (6_291_456 - 2) + b'"', "RequestResponse"),
        (b'"' + b"x" * (1_048_576 - 2) + b'"', "Event"),
    ],
)
def test_an_event_within_the_limits_passes(payload: bytes | None, invocation_type: str | None) -> None:
    limits.check_payload(payload, invocation_type)


@pytest.mark.parametrize(
    ("invocation_type", "limit"), [(None, 6_291_456), ("RequestResponse", 6_291_456), ("Event", 1_048_576)]
)
def test_one_byte_more_is_refused(invocation_type: str | None, limit: int) -> None:
    with pytest.raises(CommonServiceException, match=f"^Request must be smaller than {limit} bytes for the ") as caught:
        limits.check_payload(b'"' + b"x" * (limit - 1) + b'"', invocation_type)
    assert (caught.value.code, caught.value.status_code) == ("RequestEntityTooLargeException", 413)


@pytest.mark.parametrize(
    ("document", "header"),
    [
        ({"custom": {"a": 1}}, '{"custom":{"a":1}}'),
        ({"custom": {"name": "Zoë\r\nX-Evil: 1"}}, '{"custom":{"name":"Zo\\u00eb\\r\\nX-Evil: 1"}}'),
    ],
)
def test_a_client_context_becomes_one_line_of_ascii(document: object, header: str) -> None:
    encoded = base64.b64encode(json.dumps(document).encode()).decode()
    assert limits.client_context_header(encoded, None) == header
    assert limits.client_context_header(encoded, "Event") is None


@pytest.mark.parametrize("text", ["?", "e30", base64.b64encode(b"1").decode(), base64.b64encode(b"\xff").decode()])
def test_a_client_context_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ServiceException, match=r"^Client context must be a valid Base64-encoded JSON object\.$"):
        limits.client_context_header(text, None)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"Runtime": "nodejs22.x"}, "rydelab runs Python functions only and cannot run runtime nodejs22.x; it accepts"),
        ({"PackageType": "Image"}, "rydelab runs functions from zip archives only, not package type Image."),
    ],
)
def test_what_cannot_run_here_is_refused_with_a_sentence(request_: dict[str, str], sentence: str) -> None:
    with pytest.raises(ServiceException, match=sentence):
        limits.check_runtime(request_)


@pytest.mark.parametrize("request_", [{"Runtime": "python3.13"}, {"Runtime": "python3.9", "PackageType": "Zip"}, {}])
def test_python_in_a_zip_archive_passes(request_: dict[str, str]) -> None:
    limits.check_runtime(request_)


def test_awss_own_variables_are_refused_by_name() -> None:
    limits.check_environment({"Environment": {"Variables": {"PATH": "/mine", "AWS_ENDPOINT_URL": "http://x"}}})
    limits.check_environment({})
    with pytest.raises(ServiceException, match=r"Reserved keys used in this request: AWS_REGION, _HANDLER$"):
        limits.check_environment({"Environment": {"Variables": {"_HANDLER": "", "AWS_REGION": "", "A": ""}}})
