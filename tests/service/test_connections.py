"""Connections are bounded: silent and slow ones make room, and where there are none a new one is told so."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.service.crowd import MOST, OTHER_FILES, PATIENCE, REFUSED_AT_ONCE, Crowd, most_connections
from tests.service.serving import KEPT, Running, picture, running
from tests.service.test_predict import value
from tests.service.test_running import children, speak

PLACES = 20
SLOW = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc"
HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


class One:
    """A connection that notes that it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def make_room(self) -> None:
        self.is_closed = True


def test_who_is_silent_for_longest_makes_room() -> None:
    times = iter([0.0, 1.0, 2.0, 10.0, 10.0, 10.1, 10.2, 20.0])
    crowd = Crowd(3, now=lambda: next(times))
    first, second, third, fourth, fifth = connections = [One() for _ in range(5)]
    assert all(crowd.enter(one) for one in connections[:3])
    crowd.awaits(first, None)  # it asks something
    assert crowd.enter(fourth) and [one.is_closed for one in connections] == [False, True, False, False, False]
    crowd.leave(second)
    crowd.awaits(third, None)
    assert not crowd.enter(fifth)  # the others ask, and the fourth has only just come
    crowd.awaits(first, "head")
    crowd.leave(fifth)
    assert len(crowd) == 3 and not first.is_closed
    crowd.leave(third)
    assert len(crowd) == 2


def test_who_sends_a_body_for_longest_makes_room_where_nobody_is_silent() -> None:
    clock = [0.0]
    crowd = Crowd(3, now=lambda: clock[0])
    first, second, third, fourth, fifth, sixth = connections = [One() for _ in range(6)]
    for one in connections[:3]:
        assert crowd.enter(one)
    crowd.awaits(second, "body")
    crowd.awaits(first, "body")
    crowd.awaits(third, "body")
    crowd.awaits(third, None)  # it is being answered
    clock[0] = PATIENCE / 2
    crowd.awaits(second, "body")  # a further piece of it
    assert not crowd.enter(fourth)
    clock[0] = PATIENCE
    assert crowd.enter(fourth) and [one.is_closed for one in connections] == [False, True, False, False, False, False]
    clock[0] = 2 * PATIENCE
    assert crowd.enter(fifth) and fourth.is_closed and not first.is_closed, "who is silent goes first"
    assert crowd.enter(sixth) and first.is_closed and not third.is_closed
    assert not crowd.enter(One()) and len(crowd) == 3


def test_open_files_bound_the_connections() -> None:
    others = OTHER_FILES + REFUSED_AT_ONCE
    assert most_connections("auto", 2**20) == MOST
    assert most_connections("auto", 1024) == 1024 - others
    assert most_connections(100, 100 + others) == 100
    with pytest.raises(InputError, match=f"connections=101 needs {101 + others} open files.*take at most 100"):
        most_connections(101, 100 + others)


@pytest.fixture(scope="module")
def few() -> Iterator[Running]:
    with running(KEPT, f"connections={PLACES}", "upload_seconds=4") as found:
        yield found


@contextmanager
def crowd(address: str, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that say something and then wait."""
    host, _, port = address.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            found.append(stack.enter_context(socket.create_connection((host, int(port)), timeout=10)))
            found[-1].sendall(said)
        yield found


@pytest.mark.parametrize("said", [b"", HEAD[:25], HEAD, SLOW])
def test_silent_connections_keep_nobody_out(few: Running, said: bytes) -> None:
    with crowd(few.address, PLACES, said) as silent:
        time.sleep(PATIENCE + 0.3)
        for seed in range(3):
            assert few.predict(picture(seed)).status_code == 200
        if not said:
            assert silent[0].recv(1) == b""  # the oldest has made room
        assert value(few.get("/metrics").text, "connections") <= PLACES


def test_who_finds_no_place_is_told_so_and_nothing_piles_up(few: Running) -> None:
    [worker] = children(few.process.pid)
    files = Path(f"/proc/{worker}/fd")
    before = len(list(files.iterdir()))
    with crowd(few.address, PLACES, SLOW):
        time.sleep(0.3)
        answer = speak(few.address, b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: 1\r\n" in answer
        assert f"{PLACES} connections are open already: try again later".encode() in answer
        assert few.get("/health/live").json() == {"live": True}, "a probe must not kill what is only busy"
        assert few.get("/v2/health/ready").json() == {"ready": True}
        with crowd(few.address, 200, b""):
            time.sleep(0.3)
            assert len(list(files.iterdir())) <= before + PLACES + REFUSED_AT_ONCE + 5
    assert few.predict(picture(9)).status_code == 200
    assert value(few.get("/metrics").text, 'requests_total{route="other",status="503"}') == 1
