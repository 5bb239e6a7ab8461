"""The HTTP server in front of LocalStack's gateway: cheroot in the place of Twisted.

Twisted's HTTP layer takes two thirds of the time per request (it parses content types with the e-mail package and
formats an access log line that goes nowhere), so that a lab measures the server and not the design. LocalStack's own
server also takes the port from ``GATEWAY_LISTEN`` but ignores the host, listening on every interface.

What is lost: TLS and WebSockets on the gateway's port. Nothing that a lab deploys uses them.
"""

import select
import threading
from collections.abc import Callable
from typing import Any, Final

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest
from cheroot.workers.threadpool import ThreadPool
from cheroot.wsgi import Gateway_10, Server
from localstack import config
from localstack.config import HostAndPort
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from rolo.gateway import Gateway
from rolo.gateway.wsgi import WsgiGateway

from rydelab.plugins.faults.registry import faults

OBSERVATION_PREFIX: Final = "/_rydelab/"

_FIRST_THREADS: Final = 64
_GROWTH_CHECK_S: Final = 0.02
_LINGER_S: Final = 1.0
_BACKLOG: Final = 1024
# Longer than any SDK keeps an idle connection in its pool between two rides of a slow test.
_KEEP_ALIVE_S: Final = 300
_MAX_HEADER_BYTES: Final = 128 * 1024
_MAX_BODY_BYTES: Final = 0  # none: the services have limits of their own


class CherootServer(RuntimeServer):  # type: ignore[misc]
    """Listens on the host and port of each given address, and on nothing else."""

    def __init__(self) -> None:
        self._servers: list[Server] = []

    def register(self, gateway: Gateway, listen: list[HostAndPort], ssl_creds: tuple[str, str] | None = None) -> None:
        """Bind the addresses of *listen*. Raises OSError if one is taken. There is no TLS, whatever *ssl_creds*."""
        del ssl_creds
        for address in listen:
            server = _make_server(_pausing(WsgiGateway(gateway)), address)
            server.prepare()
            self._servers.append(server)

    def run(self) -> None:
        """Serve until ``shutdown``; blocks."""
        others = [threading.Thread(target=server.serve, daemon=True) for server in self._servers[1:]]
        for thread in others:
            thread.start()
        self._servers[0].serve()

    def shutdown(self) -> None:
        """Stop serving; from any thread."""
        for server in self._servers:
            server.stop()


class GatewayServerPlugin(RuntimeServerPlugin):  # type: ignore[misc]
    """Chosen with ``GATEWAY_SERVER=rydelab``."""

    name = "rydelab"

    def load(self, *_arguments: object, **_keywords: object) -> CherootServer:
        """Make the server, not yet listening."""
        return CherootServer()


def _pausing(application: WsgiGateway) -> Callable[..., Any]:
    """Let requests wait while a fault pauses the lab; not those to the lab itself, which take the fault back."""

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        if not environ["PATH_INFO"].startswith(OBSERVATION_PREFIX):
            faults.wait_while_paused()
        return application(environ, start_response)

    return call


def _make_server(application: Callable[..., Any], address: HostAndPort) -> Server:
    server = Server(
        (address.host, address.port),
        application,
        numthreads=_FIRST_THREADS,
        max=config.GATEWAY_WORKER_COUNT,
        request_queue_size=_BACKLOG,
        timeout=_KEEP_ALIVE_S,
        shutdown_timeout=1,
    )
    server.requests = _GrowingPool(server, min=_FIRST_THREADS, max=config.GATEWAY_WORKER_COUNT)
    server.gateway = _RoloGateway
    server.ConnectionClass = _Connection
    server.keep_alive_conn_limit = None
    server.max_request_header_size = _MAX_HEADER_BYTES
    server.max_request_body_size = _MAX_BODY_BYTES
    return server


class _GrowingPool(ThreadPool):  # type: ignore[misc]
    """A pool that adds threads while requests wait: a synchronous ride holds several of them for up to 29 s."""

    def start(self) -> None:
        self._stopping = threading.Event()
        super().start()
        threading.Thread(target=self._grow_while_requests_wait, name="gateway-pool", daemon=True).start()

    def stop(self, timeout: float | None = 5) -> None:
        self._stopping.set()  # the orders to end wait in the queue too, and are for the threads that there are
        super().stop(timeout)

    def _grow_while_requests_wait(self) -> None:
        waiting_before = 0
        while not self._stopping.wait(_GROWTH_CHECK_S):
            waiting = self._queue.qsize()
            if waiting and waiting_before:
                room = self.max - len(self._threads)
                self._threads.extend(self._spawn_worker() for _ in range(min(waiting, room)))
            waiting_before = waiting


class _RawHeaderReader(HeaderReader):  # type: ignore[misc]
    """Keeps the headers as they came: names in the client's own case, repeated ones apart."""

    def __init__(self) -> None:
        self.raw: list[tuple[bytes, bytes]] = []

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        lines = _Recorder(rfile)
        headers: dict[bytes, bytes] = super().__call__(lines, hdict)
        self.raw = [(name.strip(), value.strip()) for name, _, value in (line.partition(b":") for line in lines.read)]
        return headers


class _Recorder:
    """Passes lines on and remembers those that are headers."""

    def __init__(self, rfile: Any) -> None:
        self._rfile = rfile
        self.read: list[bytes] = []

    def readline(self) -> bytes:
        line: bytes = self._rfile.readline()
        if line.strip():
            self.read.append(line)
        return line


class _Request(HTTPRequest):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.header_reader = _RawHeaderReader()


class _Connection(HTTPConnection):  # type: ignore[misc]
    """Stays with its thread between requests that follow each other, as a client's do.

    Handing a connection back to the selector and out again costs as much time as a simple request.
    """

    RequestHandlerClass = _Request

    def communicate(self) -> bool:
        while super().communicate():
            if not self._next_request_comes_soon():
                return True
        return False

    def _next_request_comes_soon(self) -> bool:
        if self.rfile.has_data():
            return True
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(_LINGER_S * 1000))


class _RoloGateway(Gateway_10):  # type: ignore[misc]
    """Adds to the WSGI environment what rolo expects of a server."""

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["rolo.headers"] = self.req.header_reader.raw
        environ["RAW_URI"] = environ["REQUEST_URI"]
        environ["wsgi.input_terminated"] = True
        return environ
