"""The processes of a service: started, replaced when they die, and stopped."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from types import FrameType

from animeid.errors import CRASHED
from animeid.service.folding import fold
from animeid.service.home import Home
from animeid.service.listening import CLOSE_NOW, HANDSHAKE_SECONDS, refuse_new
from animeid.service.requests import ServeRequest
from animeid.system.console import say, say_beside, say_error

TICK = 0.05
YOUNG_SECONDS = 10.0
TRIES = 5
"""So many workers in a row may die young before a service that has never answered gives up, and another one waits."""
LONGEST_WAIT = 30.0
"""Of one that has answered: its other workers go on, and one that dies again and again is started ever less often."""
LAST_SECONDS = 5.0
"""What a worker is given beyond its own limit before it is killed."""


class Supervisor:
    """Keeps `request.workers` workers alive until a signal.

    Args:
        home: what they share.
        listening: the socket that they accept connections from.
        request: of the user.
    """

    def __init__(self, home: Home, listening: socket.socket, request: ServeRequest) -> None:
        self.home, self.listening, self.request = home, listening, request
        self._workers: dict[subprocess.Popen[bytes], float] = {}
        self._is_stopped = False
        self._died_young = 0
        self._not_before = 0.0

    def run(self, greeting: str) -> int:
        """Works until SIGTERM or SIGINT; the exit status.

        Args:
            greeting: is said once all workers answer.
        """
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._stop)
        self._workers = {self._started(): time.monotonic() for _ in range(self.request.workers)}
        has_greeted = False
        while not self._is_stopped:
            if not has_greeted and all(self.home.is_answering(worker.pid) for worker in self._workers):
                has_greeted = True
                say(greeting)
            if (status := self._look_after(has_greeted)) is not None:
                self._end()
                return status
            time.sleep(TICK)
        self._end()
        return 0

    def _stop(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - of a signal handler
        self._is_stopped = True

    def _started(self) -> subprocess.Popen[bytes]:
        descriptor = self.listening.fileno()
        command = (sys.executable, "-m", "animeid.service.worker", str(self.home.folder), str(descriptor))
        return subprocess.Popen(command, pass_fds=[descriptor], stdin=subprocess.DEVNULL)

    def _look_after(self, has_greeted: bool) -> int | None:
        """Replaces workers that died; the exit status where that is of no use."""
        for worker in [worker for worker in self._workers if worker.poll() is not None]:
            began = self._workers.pop(worker)
            is_new = not self.home.is_answering(worker.pid)
            self._bury(worker)
            if is_new and not has_greeted and worker.returncode > 0:
                return worker.returncode  # it has said why
            self._died_young = self._died_young + 1 if time.monotonic() - began < YOUNG_SECONDS else 0
            say_beside(f"worker {worker.pid} ended with status {worker.returncode}: another takes its place")
            if self._died_young >= TRIES and not has_greeted:
                say_error(f"{TRIES} workers in a row died within {YOUNG_SECONDS:g} seconds: see above why")
                return CRASHED
            self._wait()
        self._fill()
        return None

    def _wait(self) -> None:
        self._not_before = time.monotonic() + min(LONGEST_WAIT, 2.0 ** max(0, self._died_young - TRIES + 1) - 1)

    def _fill(self) -> None:
        """Starts workers that are missing, unless it is too early."""
        while len(self._workers) < self.request.workers and time.monotonic() >= self._not_before:
            try:
                self._workers[self._started()] = time.monotonic()
            except OSError as error:  # no memory for a process, which may pass
                self._died_young += 1
                self._wait()
                say_error(f"no worker can be started: {error}")

    def _end(self) -> None:
        """Has all workers finish what they do, and kills those that do not within their time."""
        self._tell(signal.SIGTERM)
        self._drain(self.request.drain_seconds)
        if refuse_new(self.listening):
            self._drain(HANDSHAKE_SECONDS)
        elif sys.platform == "linux":
            say_beside("this system cannot refuse connections first: one that comes in this moment is cut off")
        self.listening.close()
        self._tell(CLOSE_NOW)
        until = time.monotonic() + self.request.stop_seconds + LAST_SECONDS
        for worker in self._workers:
            try:
                worker.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                say_beside(f"worker {worker.pid} did not end in time and is killed")
                worker.kill()
                worker.wait()
            self._bury(worker)

    def _tell(self, signum: int) -> None:
        for worker in self._workers:
            worker.send_signal(signum)

    def _drain(self, seconds: float) -> None:
        """Waits while there is a worker that answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(worker.poll() is None for worker in self._workers):
            time.sleep(min(TICK, seconds))

    def _bury(self, worker: subprocess.Popen[bytes]) -> None:
        try:
            self.home.forget(worker.pid)
            fold(self.home.metrics, worker.pid)
        except OSError as error:  # a full disk must not end the others
            say_error(f"what worker {worker.pid} has counted is lost: {error}")
