"""The Lambda Runtime API for one execution environment, spoken over non-blocking sockets.

The runtime client asks for ``/runtime/invocation/next``, and posts a response or an error. The server is driven by the
thread that invokes the function (see ``execution_environment``): no thread waits while an environment is idle, and an
invocation costs two hand-overs between processes and none between threads.

Source: AWS Lambda developer guide, "Using the Lambda runtime API".
"""

import contextlib
import socket
from dataclasses import dataclass
from typing import Final

from rydelab.workers.model import Invocation

_PREFIX: Final = "/2018-06-01/runtime/"
_ACCEPTED: Final = (
    b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
)
_TOO_LARGE: Final = (
    b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n"
    b'{"errorType":"RequestEntityTooLarge"}        '
)
_WRONG_STATE: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 68\r\n\r\n"
    b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}'
)
_NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_MAX_HEADER_BYTES: Final = 2 * 1024 * 1024  # awslambdaric sends a stack trace of up to 1 MB in a header
MAX_RESPONSE_BYTES: Final = 6 * 1024 * 1024 + 100
"""The limit that AWS names in its own error text, 6291556."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the runtime client."""

    path: str
    """Relative to ``/2018-06-01/runtime/``, such as ``invocation/next`` or ``init/error``."""
    body: bytes
    too_large: bool = False
    """The body was longer than Lambda's response limit and has been thrown away."""


class Connection:
    """One connection of the runtime client, with what has arrived on it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()
        self._discard_bytes = 0

    def read(self) -> bool:
        """Read what is there; false when the peer has closed."""
        try:
            data = self.sock.recv(256 * 1024)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self._discard_bytes > 0:
            dropped = min(self._discard_bytes, len(data))
            self._discard_bytes -= dropped
            self._buffer += data[dropped:]
        else:
            self._buffer += data
        return bool(data) and len(self._buffer) <= _MAX_HEADER_BYTES + MAX_RESPONSE_BYTES

    def next_request(self) -> Request | None:
        """Return the next whole request, or None if more bytes are needed. Raises ValueError for what is not HTTP."""
        if self._discard_bytes > 0:
            return None
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = bytes(self._buffer[:head_end])
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3:  # noqa: PLR2004 (method, path, version)
            raise ValueError(f"not a request line of HTTP: {words!r}")
        path = words[1].decode("ascii", "replace").removeprefix(_PREFIX)
        body_bytes = _content_length(head)
        body_start = head_end + 4
        if body_bytes > MAX_RESPONSE_BYTES:
            self._discard_bytes = max(0, body_start + body_bytes - len(self._buffer))
            del self._buffer[: body_start + body_bytes]
            return Request(path, b"", too_large=True)
        if len(self._buffer) < body_start + body_bytes:
            return None
        body = bytes(self._buffer[body_start : body_start + body_bytes])
        del self._buffer[: body_start + body_bytes]
        return Request(path, body)

    def accept(self) -> None:
        """Answer a posted response or error."""
        self._send(_ACCEPTED)

    def refuse_too_large(self) -> None:
        """Answer a response that is over the limit."""
        self._send(_TOO_LARGE)

    def refuse_wrong_state(self) -> None:
        """Answer a response or error that nothing waits for: of another invocation, or a second one."""
        self._send(_WRONG_STATE)

    def not_found(self) -> None:
        """Answer a request that the Runtime API does not have."""
        self._send(_NOT_FOUND)

    def hand_out(self, invocation: Invocation, deadline_ms: int) -> None:
        """Answer ``invocation/next``. *deadline_ms* is epoch milliseconds.

        Raises OSError when the runtime is gone.
        """
        headers = [
            "HTTP/1.1 200 OK",
            "Content-Type: application/json",
            f"Content-Length: {len(invocation.payload)}",
            f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}",
            f"Lambda-Runtime-Deadline-Ms: {deadline_ms}",
            f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}",
        ]
        if invocation.trace_id:
            headers.append(f"Lambda-Runtime-Trace-Id: {invocation.trace_id}")
        if invocation.client_context:
            headers.append(f"Lambda-Runtime-Client-Context: {invocation.client_context}")
        self._send_all("\r\n".join(headers).encode() + b"\r\n\r\n" + invocation.payload)

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self.sock.close()

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # a peer that is gone shows up as the end of its process
            self._send_all(data)

    def _send_all(self, data: bytes) -> None:
        # A payload can be larger than the socket's buffer; the runtime reads all of it before it does anything else.
        self.sock.settimeout(5)
        try:
            self.sock.sendall(data)
        finally:
            self.sock.settimeout(0)


class Listener:
    """The address of one environment's Runtime API, on loopback."""

    def __init__(self) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.sock.setblocking(False)

    @property
    def address(self) -> str:
        """``host:port``, the form of ``AWS_LAMBDA_RUNTIME_API``."""
        host, port = self.sock.getsockname()
        return f"{host}:{port}"

    def accept(self) -> Connection | None:
        """Return a new connection, or None if there is none after all."""
        try:
            sock, _ = self.sock.accept()
        except OSError:
            return None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(sock)

    def close(self) -> None:
        """Stop listening."""
        self.sock.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
            if length < 0:
                raise ValueError(f"Content-Length must be >= 0, got {length}")
            return length
    return 0
