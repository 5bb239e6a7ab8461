"""What the spawner and the warm parent say to each other over one Unix socket.

Messages are JSON, one per packet (``SOCK_SEQPACKET``); file descriptors travel beside them.

- spawner -> parent: ``{"spawn": token}`` with the descriptors of the child's start-up document and of its output;
  ``{"kill": pid}``, ``{"freeze": pid}``, ``{"thaw": pid}`` for a child and everything below it.
- parent -> spawner: ``{"ready": pid}`` once; ``{"spawned": token, "pid": pid}`` with a pidfd, or
  ``{"refused": token, "reason": text}``; ``{"exited": pid, "status": wait_status}``.
"""

import json
import os
import socket
from typing import Any, Final

MAX_MESSAGE_BYTES: Final = 4096
_MAX_DESCRIPTORS: Final = 2


def send(sock: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send one message. Raises OSError when the peer is gone."""
    socket.send_fds(sock, [json.dumps(message).encode()], list(descriptors))


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next message and its descriptors, or None when the peer is gone."""
    try:
        data, descriptors, _, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, _MAX_DESCRIPTORS)
    except ConnectionError:
        return None
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)  # recv_fds of Python 3.13 ignores its flags
    return (json.loads(data), descriptors) if data else None
