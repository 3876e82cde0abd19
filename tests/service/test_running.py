"""The service as a command: it starts, answers under load, is stopped, and loses nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from animeid import serve
from animeid.service import worker
from animeid.service.home import Home
from animeid.service.requests import ServeRequest
from animeid.service.state import State
from tests.service.serving import KEPT, Running, picture, running
from tests.service.test_predict import value


@pytest.fixture(scope="module")
def one() -> Iterator[Running]:
    with running(KEPT, "max_upload_mb=1", "queue=4", "upload_seconds=2") as found:
        yield found


def speak(address: str, said: bytes) -> bytes:
    """What a server answers to some bytes, until it closes."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(said)
        found = b""
        while chunk := connection.recv(65536):
            found += chunk
        return found


def test_a_large_body_is_refused_before_it_is_sent(one: Running) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n"
    assert speak(one.address, head + b"Expect: 100-continue\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    # Whoever sends all the same is told as well, and then no longer listened to.
    assert speak(one.address, head + b"\r\n" + bytes(100_000)).startswith(b"HTTP/1.1 413 ")


def test_a_head_has_no_body(one: Running) -> None:
    answered = speak(one.address, b"HEAD /models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 200 ") and answered.endswith(b"\r\n\r\n")
    assert b"\r\ncontent-length: " in answered.lower()


def test_a_body_without_a_length_is_refused_once_it_is_too_long(one: Running) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield bytes(100_000)

    assert httpx2.post(one.address + "/predict", content=chunks(), timeout=20).status_code == 413


def test_a_body_that_nobody_reads_is_not_taken(one: Running) -> None:
    for start in (b"GET /health", b"POST /feedback", b"POST /nothing"):
        head = (
            start
            + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n"
        )
        assert b"\r\nconnection: close\r\n" in speak(one.address, head + bytes(1000)).lower()


def test_a_head_that_does_not_end_is_given_up(one: Running) -> None:
    assert speak(one.address, b"GET /health HTTP/1.1\r\nHost: localhost\r\n") == b""
    whole = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answered = speak(one.address, whole + b"GET /health HTTP/1.1\r\n")
    assert answered.startswith(b"HTTP/1.1 200 ") and answered.count(b"HTTP/1.1") == 1


def test_a_slow_body_does_not_hold_a_place(one: Running) -> None:
    host, _, port = one.address.removeprefix("http://").partition(":")
    slow = [socket.create_connection((host, int(port)), timeout=10) for _ in range(20)]
    for connection in slow:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
    try:
        assert one.predict(picture(1)).status_code == 200
        assert slow[0].recv(100).startswith(b"HTTP/1.1 408 ")
    finally:
        for connection in slow:
            connection.close()


def test_what_finds_no_place_is_refused_at_once(one: Running) -> None:
    with ThreadPoolExecutor(32) as threads:
        found = list(threads.map(lambda seed: one.predict(picture(seed, (500, 500))), range(1000, 1064)))
    statuses = [response.status_code for response in found]
    assert set(statuses) == {200, 503}
    assert all(response.headers["retry-after"] == "1" for response in found if response.status_code == 503)
    assert one.predict(picture(2)).status_code == 200


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_it_survives_the_death_of_decoders_and_workers(one: Running) -> None:
    before = value(one.get("/metrics").text, 'requests_total{route="/health/live",status="200"}')
    [worker] = children(one.process.pid)
    for decoder in children(worker):
        os.kill(decoder, signal.SIGKILL)
    assert {one.predict(picture(3)).status_code, one.predict(picture(3)).status_code} <= {200, 422}
    assert one.predict(picture(3)).status_code == 200
    assert one.get("/health/live").status_code == 200
    os.kill(worker, signal.SIGKILL)
    assert one.predict(picture(3)).status_code == 200  # it waits for the worker that takes the place
    assert children(one.process.pid) != [worker]
    after = value(one.get("/metrics").text, 'requests_total{route="/health/live",status="200"}')
    assert after == before + 1


def test_a_stop_drops_nothing(one: Running) -> None:
    """Clients ask until nobody answers any more; whatever was accepted is answered."""
    dropped, answered, stop = [], [], threading.Event()

    def ask(client: int) -> None:
        number = 0
        with httpx2.Client(timeout=20) as own:
            while not stop.is_set():
                number += 1
                try:
                    response = own.post(f"{one.address}/predict", content=picture(10_000 * client + number))
                    answered.append(response.status_code)
                except httpx2.ConnectError:
                    return
                except httpx2.HTTPError as error:
                    dropped.append(repr(error))

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert one.stop() == 0
    stop.set()
    for thread in threads:
        thread.join()
    assert dropped == [] and set(answered) == {200}


def test_counts_of_all_workers_are_right_and_never_go_back() -> None:
    name = 'requests_total{route="/characters",status="200"}'
    with running(KEPT, "workers=3") as several:
        sent, counted = 0, [0.0]
        for _ in range(3):
            for _ in range(20):
                assert several.get("/characters").status_code == 200
                sent += 1
            counted.append(value(several.get("/metrics").text, name))
            assert counted[-1] == sent
            os.kill(children(several.process.pid)[0], signal.SIGKILL)
            counted += [value(several.get("/metrics").text, name) for _ in range(10)]
        assert counted == sorted(counted) and counted[-1] == sent
        assert len(children(several.process.pid)) == 3
        assert several.stop(signal.SIGINT) == 0


def test_a_worker_that_cannot_begin_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The artefact was there when the command looked."""
    home = Home(tmp_path)
    home.begin(ServeRequest(artefact="gone"), State(folders={"1": str(tmp_path / "gone")}, aliases={"default": ("1",)}))
    with socket.socket() as listening:
        assert worker.main(home, listening) == 2
    assert "is no artefact" in capsys.readouterr().err
    assert not home.is_answering(os.getpid())


def test_bad_input_ends_it_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main([f"artefact={tmp_path}"]) == 2
    assert "is no artefact" in capsys.readouterr().err
    (tmp_path / "keys").write_text("no key")
    assert serve.main([f"artefact={KEPT}", f"keys={tmp_path}/keys"]) == 2
    assert f"line 1 of {tmp_path}/keys is no key" in capsys.readouterr().err
    assert serve.main([f"artefact={KEPT}", f"log={tmp_path}/keys"]) == 2
    assert f"log: {tmp_path}/keys cannot be made" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve.main([f"artefact={KEPT}", f"port={port}"]) == 2
    assert f"port={port} cannot be listened on" in capsys.readouterr().err


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, animeid.service.supervisor, animeid.service.worker, animeid.service.server, animeid.service.app, "
        "animeid.service.opening, animeid.serve; "
        "print([name for name in ('torch', 'lightning', 'timm', 'hydra', 'omegaconf', 'pandas', 'scipy', 'cv2') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
