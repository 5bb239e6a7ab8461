"""Where providers of custom resources put their answers: a URL of the gateway, in place of AWS's pre-signed S3 URL.

Like a pre-signed URL it takes a PUT with any body, needs its query string, and says 200 to a second PUT, which changes
nothing. Handlers must keep to the URL's scheme: here it is http.
"""

import queue
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

PATH = "/_rydelab/custom-resource-response"
REMEMBERED = 1000
"""How many answered requests a late second PUT is still taken for."""


class Expectation:
    """An answer that is waited for, and the URL that takes it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def wait(self, timeout_s: float) -> bytes | None:
        """Return the body of the first PUT, or None if none came within *timeout_s*."""
        try:
            return self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def put(self, body: bytes) -> None:
        """Take a body; only the first counts."""
        self._answers.put(body)


class Inbox:
    """The answers that are waited for, by request. Thread-safe."""

    def __init__(self, gateway_url: str) -> None:
        self._gateway_url = gateway_url
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], Expectation] = {}
        self._answered: OrderedDict[tuple[str, str], None] = OrderedDict()

    @contextmanager
    def expect(self, request_id: str) -> Iterator[Expectation]:
        """Accept an answer to the request *request_id* until the block is left."""
        key = (request_id, secrets.token_hex(32))
        expectation = Expectation(f"{self._gateway_url}{PATH}/{key[0]}?X-Amz-Signature={key[1]}")
        with self._lock:
            self._open[key] = expectation
        try:
            yield expectation
        finally:
            with self._lock:
                del self._open[key]
                self._answered[key] = None
                while len(self._answered) > REMEMBERED:
                    self._answered.popitem(last=False)

    def deliver(self, request_id: str, signature: str, body: bytes) -> bool:
        """Hand over an answer; False if the URL is not one of ours, or was altered."""
        key = (request_id, signature)
        with self._lock:
            expectation = self._open.get(key)
            if expectation is None:
                return key in self._answered
        expectation.put(body)
        return True
