"""Workers that die again and again do not end those that answer."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from animeid.errors import CRASHED
from animeid.service import supervisor
from animeid.service.home import Home
from animeid.service.listening import CLOSE_NOW, HANDSHAKE_SECONDS
from animeid.service.requests import ServeRequest
from animeid.service.state import State
from animeid.service.supervisor import LONGEST_WAIT, TRIES, Supervisor

WORKERS = 2


class Worker:
    """A process that lives until it is told to die."""

    def __init__(self, pid: int, listening: socket.socket) -> None:
        self.pid, self.listening, self.returncode = pid, listening, None
        self.told: list[tuple[int, bool]] = []
        """Signals, and whether the supervisor's socket was open."""

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, signum: int) -> None:
        self.told.append((signum, self.listening.fileno() != -1))

    def wait(self, timeout: float) -> int:
        return 0


class Scene:
    """A supervisor of such workers, in a time of its own."""

    def __init__(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.started = 100.0, 0
        self.fails = False
        monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep))
        self.supervisor = Supervisor(home, socket.socket(), ServeRequest(artefact="a", workers=WORKERS))
        monkeypatch.setattr(self.supervisor, "_started", self.start)
        self.supervisor._fill()

    def start(self) -> Any:
        if self.fails:
            raise OSError(12, "Cannot allocate memory")
        self.started += 1
        return Worker(self.started, self.supervisor.listening)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def die(self) -> None:
        """The youngest worker is killed."""
        list(self.supervisor._workers)[-1].returncode = -9  # type: ignore[misc]

    def look(self, has_greeted: bool = True) -> int | None:
        return self.supervisor._look_after(has_greeted)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    home = Home(tmp_path)
    home.begin(ServeRequest(artefact="a"), State())
    found = Scene(home, monkeypatch)
    yield found
    found.supervisor.listening.close()


def test_one_that_dies_takes_nobody_along_and_is_started_ever_less_often(scene: Scene) -> None:
    waits = []
    for _ in range(TRIES + 5):
        scene.die()
        began, there = scene.now, scene.started
        while scene.look() is None and scene.started == there:
            scene.now += 0.5
        assert len(scene.supervisor._workers) == WORKERS
        waits.append(scene.now - began)
    assert waits == [*[0.0] * (TRIES - 1), 1.0, 3.0, 7.0, 15.0, *[LONGEST_WAIT] * 2]
    # One that has lived is missed at once.
    scene.now += 60
    scene.die()
    there = scene.started
    assert scene.look() is None and scene.started == there + 1


def test_a_service_that_never_answered_gives_up(scene: Scene) -> None:
    found = []
    for _ in range(TRIES):
        scene.die()
        found.append(scene.look(has_greeted=False))
        scene.now += 2.0**TRIES
        scene.supervisor._not_before = 0.0
        scene.supervisor._fill()
        scene.now -= 2.0**TRIES
    assert found == [None] * (TRIES - 1) + [CRASHED]


def test_where_no_process_can_be_started_it_is_tried_again(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.fails = True
    scene.die()
    assert scene.look() is None and len(scene.supervisor._workers) == WORKERS - 1
    assert "no worker can be started: [Errno 12] Cannot allocate memory" in capsys.readouterr().err
    scene.fails = False
    scene.now += LONGEST_WAIT
    assert scene.look() is None and len(scene.supervisor._workers) == WORKERS


@pytest.mark.parametrize("refuses", [True, False])
def test_workers_close_once_no_connection_comes(
    refuses: bool, scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the time of draining, and of handshakes where requests for connections are refused, which is said else."""
    asked: list[float] = []

    def refuse_new(listening: socket.socket) -> bool:
        assert listening.fileno() != -1
        asked.append(scene.now)
        return refuses

    monkeypatch.setattr(supervisor, "refuse_new", refuse_new)
    monkeypatch.setattr(supervisor.sys, "platform", "linux")
    began, workers = scene.now, list(scene.supervisor._workers)
    scene.supervisor._end()
    drained = scene.supervisor.request.drain_seconds
    assert [moment - began >= drained for moment in asked] == [True]
    assert (scene.now - asked[0] >= HANDSHAKE_SECONDS) is refuses
    assert [worker.told for worker in workers] == [[(signal.SIGTERM, True), (CLOSE_NOW, False)]] * WORKERS  # type: ignore[attr-defined]
    assert ("cannot refuse connections first" in capsys.readouterr().err) is not refuses
