"""A socket that is closed cuts off nobody who believes to be connected."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest

from animeid.service.listening import HANDSHAKE_SECONDS, refuse_new, take_last
from tests.service.serving import KEPT, running

CONNECTING = """
import socket, sys, time
clients = []
while True:
    client = socket.socket()
    client.settimeout(0.5)
    try:
        client.connect(("127.0.0.1", int(sys.argv[1])))
    except OSError:
        break
    clients.append(client)
    time.sleep(0.004)
cut_off = 0
for client in clients:
    try:
        client.recv(1)
    except ConnectionResetError:
        cut_off += 1
print(len(clients), cut_off)
"""
"""Connects again and again until it cannot; the connections, and how many of them were reset instead of closed."""
BEFORE_SECONDS = 1.0
"""In which a busy machine starts another Python too."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such filter")


class Slow(socket.socket):
    """Something else gets the processor before it is seen that nobody waits."""

    def accept(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except BlockingIOError:
            time.sleep(0.1)
            raise


def answer(listening: socket.socket, seconds: float) -> None:
    """Takes connections and closes them."""
    until = time.monotonic() + seconds
    listening.settimeout(0.05)
    while time.monotonic() < until:
        with suppress(TimeoutError):
            listening.accept()[0].close()


@linux
def test_nobody_who_is_connected_is_cut_off() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = str(listening.getsockname()[1])
    command = [sys.executable, "-S", "-c", CONNECTING, port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clients:
        answer(listening, BEFORE_SECONDS)
        assert refuse_new(listening)
        answer(listening, HANDSHAKE_SECONDS)
        for connection in take_last(Slow(fileno=listening.detach())):
            connection.close()
        told, _ = clients.communicate(timeout=30)
    connections, cut_off = map(int, told.split())
    assert connections > 20
    assert cut_off == 0


@linux
def test_whoever_asks_meanwhile_finds_the_next_service() -> None:
    """The request for a connection is lost, and sent again after a second."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    assert refuse_new(listening)
    with socket.socket() as client:
        client.setblocking(False)
        assert client.connect_ex(address) == errno.EINPROGRESS
        assert take_last(listening) == []
        with socket.create_server(address) as following:
            following.settimeout(10)
            following.accept()[0].close()


@linux
@pytest.mark.parametrize("kept", [b"", b"\x00", OSError(92, "Protocol not available")])
def test_a_filter_that_the_system_does_not_keep_is_none(kept: bytes | OSError) -> None:
    """Some systems that look like Linux take whatever option they are given."""

    class Careless(socket.socket):
        def getsockopt(self, *_: Any) -> Any:
            if isinstance(kept, OSError):
                raise kept
            return kept

    with socket.create_server(("127.0.0.1", 0)) as listening, Careless(fileno=listening.detach()) as careless:
        assert not refuse_new(careless)


def test_connections_that_wait_are_taken() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with socket.create_connection(listening.getsockname()) as client:
        (taken,) = take_last(listening)
        taken.sendall(b"x")
        assert client.recv(1) == b"x"
        taken.close()


def test_a_worker_that_is_stopped_alone_leaves_the_others_answering() -> None:
    """The filter would be that of the socket they share."""
    with running(KEPT, "drain_seconds=0", "workers=2") as service:
        (first, *_) = psutil.Process(service.process.pid).children()
        first.send_signal(signal.SIGTERM)
        first.wait(20)
        assert all(service.get("/health/live").status_code == 200 for _ in range(20))
        assert service.stop() == 0
