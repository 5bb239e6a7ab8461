"""What the spawner and the warm parent say to each other."""

import os
import socket
from collections.abc import Iterator

import pytest

from rydelab.workers import protocol

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_message_arrives_with_its_descriptors(pair: Pair) -> None:
    read_fd, write_fd = os.pipe()
    protocol.send(pair[0], {"spawn": 7}, (write_fd,))
    os.close(write_fd)
    received = protocol.receive(pair[1])
    assert received is not None
    message, [descriptor] = received
    assert message == {"spawn": 7}
    os.write(descriptor, b"through the pipe")
    assert os.read(read_fd, 100) == b"through the pipe"
    os.close(descriptor)
    os.close(read_fd)


def test_a_received_descriptor_is_not_inherited(pair: Pair) -> None:
    protocol.send(pair[0], {}, (0,))
    received = protocol.receive(pair[1])
    assert received is not None
    [descriptor] = received[1]
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_messages_keep_their_borders_and_their_order(pair: Pair) -> None:
    for number in range(3):
        protocol.send(pair[0], {"exited": number, "status": 9})
    assert [protocol.receive(pair[1]) for _ in range(3)] == [({"exited": n, "status": 9}, []) for n in range(3)]


def test_a_peer_that_is_gone_is_the_end(pair: Pair) -> None:
    pair[0].close()
    assert protocol.receive(pair[1]) is None


def test_sending_to_a_peer_that_is_gone_raises(pair: Pair) -> None:
    pair[1].close()
    with pytest.raises(OSError, match="Broken pipe"):
        protocol.send(pair[0], {"kill": 1})
