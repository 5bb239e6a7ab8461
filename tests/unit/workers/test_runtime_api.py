"""The Runtime API, spoken over a pair of sockets."""

import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rydelab.workers.model import Invocation
from rydelab.workers.runtime_api import MAX_RESPONSE_BYTES, Connection, Listener, Request

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


def post(path: str, body: bytes, *, length: object = None) -> bytes:
    """Return a request as the runtime client sends it."""
    head = f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\ncontent-length: "
    return f"{head}{len(body) if length is None else length}\r\n\r\n".encode() + body


@dataclass(frozen=True)
class Talk:
    """Both ends of one connection."""

    connection: Connection
    runtime: socket.socket

    def hears(self, data: bytes) -> Request | None:
        """Let the runtime send *data*; return the next request that it makes."""
        self.runtime.sendall(data)
        assert self.connection.read()
        return self.connection.next_request()

    def answered(self) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body that the runtime is answered."""
        with http.client.HTTPResponse(self.runtime) as response:
            response.begin()
            return response.status, dict(response.getheaders()), response.read()


@pytest.fixture
def talk() -> Iterator[Talk]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield Talk(Connection(ours), theirs)
    ours.close()
    theirs.close()


def test_a_request_is_understood_when_all_of_it_has_come(talk: Talk) -> None:
    request = post("invocation/id-1/response", b'{"a":1}')
    for byte in request[:-1]:
        assert talk.hears(bytes([byte])) is None
    assert talk.hears(request[-1:]) == Request("invocation/id-1/response", b'{"a":1}')


def test_two_requests_in_one_packet_come_one_after_the_other(talk: Talk) -> None:
    assert talk.hears(post("invocation/1/response", b"7") + NEXT) == Request("invocation/1/response", b"7")
    assert talk.connection.next_request() == Request("invocation/next", b"")
    assert talk.connection.next_request() is None


def test_an_event_is_handed_out_with_awss_headers(talk: Talk) -> None:
    invocation = Invocation("id-1", '{"Zoë":1}'.encode(), "arn:1", "Root=1-2;Sampled=1", '{"custom":{}}')
    talk.connection.hand_out(invocation, deadline_ms=1_700_000_003_000)
    status, headers, body = talk.answered()
    assert status == 200
    assert headers == {
        "Content-Type": "application/json",
        "Content-Length": "10",
        "Lambda-Runtime-Aws-Request-Id": "id-1",
        "Lambda-Runtime-Deadline-Ms": "1700000003000",
        "Lambda-Runtime-Invoked-Function-Arn": "arn:1",
        "Lambda-Runtime-Trace-Id": "Root=1-2;Sampled=1",
        "Lambda-Runtime-Client-Context": '{"custom":{}}',
    }
    assert body.decode() == '{"Zoë":1}'


def test_headers_without_a_value_are_left_out(talk: Talk) -> None:
    talk.connection.hand_out(Invocation("id-1", b"{}", "arn:1"), deadline_ms=1)
    _, headers, _ = talk.answered()
    assert "Lambda-Runtime-Trace-Id" not in headers
    assert "Lambda-Runtime-Client-Context" not in headers


def test_the_answers_are_whole_http_responses(talk: Talk) -> None:
    for answer, status, words in (
        (talk.connection.accept, 202, b'{"status":"OK"}'),
        (talk.connection.refuse_too_large, 413, b'"RequestEntityTooLarge"'),
        (talk.connection.refuse_wrong_state, 400, b'"InvalidRequestID"'),
        (talk.connection.not_found, 404, b""),
    ):
        answer()
        answered_status, _, body = talk.answered()
        assert answered_status == status
        assert words in body


def test_a_response_of_exactly_the_limit_is_taken(talk: Talk) -> None:
    body = b"x" * MAX_RESPONSE_BYTES
    request = None
    data = memoryview(post("invocation/1/response", body))
    for start in range(0, len(data), 65536):
        request = talk.hears(bytes(data[start : start + 65536]))
    assert request == Request("invocation/1/response", body)


def test_a_response_over_the_limit_is_thrown_away_and_the_next_request_understood(talk: Talk) -> None:
    body = b"x" * (MAX_RESPONSE_BYTES + 1)
    data = memoryview(post("invocation/1/response", body) + NEXT)
    assert talk.hears(bytes(data[:65536])) == Request("invocation/1/response", b"", too_large=True)
    for start in range(65536, len(data) - 65536, 65536):
        assert talk.hears(bytes(data[start : start + 65536])) is None
    last = len(range(65536, len(data) - 65536, 65536)) * 65536 + 65536
    assert talk.hears(bytes(data[last:])) == Request("invocation/next", b"")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\xff\xfe\x00 \r\n\r\n",
        post("init/error", b"", length=-1),
        post("init/error", b"", length="many"),
    ],
)
def test_what_is_not_http_is_an_error(talk: Talk, garbage: bytes) -> None:
    with pytest.raises(ValueError, match=r"HTTP|Content-Length|invalid literal"):
        talk.hears(garbage)


def test_a_peer_that_has_closed_is_noticed(talk: Talk) -> None:
    assert talk.connection.read()  # nothing there, and still open
    talk.runtime.close()
    assert not talk.connection.read()


def test_a_head_without_end_is_cut_off(talk: Talk) -> None:
    talk.runtime.setblocking(False)
    is_open = True
    for _ in range(200):
        talk.runtime.send(b"x" * 65536)
        is_open = talk.connection.read()
        if not is_open:
            break
    assert not is_open


def test_the_listener_is_on_loopback_only() -> None:
    listener = Listener()
    try:
        assert listener.address.startswith("127.0.0.1:")
        assert listener.accept() is None
        with socket.create_connection(("127.0.0.1", int(listener.address.split(":")[1])), 1):
            connection = listener.accept()
            assert connection is not None
            connection.close()
    finally:
        listener.close()
