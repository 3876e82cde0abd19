"""Messages between launched processes: which run it is, and that one failed.

Collectives cannot carry them: they wait for hours where the first process hashes a million pictures, and on a GPU for
ever where a process is gone. A key-value store can be asked in between.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from torch import distributed

from animeid.engine.processes import is_lost_connection
from animeid.errors import InputError, Interrupted, MachineError, PeerFailedError
from animeid.system.console import say_beside, say_error
from animeid.system.launcher import ProcessRank, own_rank
from animeid.system.progress import clock

GATHER_S = 600.0
"""Seconds in which all processes must have come."""
BEAT_S = 2.0
"""Seconds between two signs of life."""
LOST_S = 60.0
"""Seconds without a sign of life after which a process counts as lost."""
GRACE_S = 15.0
"""Seconds in which a process that cannot go on should end by itself, with the sentence that fits."""
SAY_EVERY_S = 60.0

RUN, FAILED, HEARD, LEFT = "run", "failed", "heard", "left"

Store = distributed.Store


class Launch:
    """This process among those that a launcher started; alone, everything here does nothing.

    Raises:
        InputError: not all processes came.
    """

    def __init__(self, place: ProcessRank) -> None:
        self.place = place
        self.store: Store | None = None
        self.watch: Watch | None = None
        if place.size > 1:
            self.store = _gather(place)
            self.watch = Watch(self.store.clone(), place)
            self.watch.start()

    def tell(self, message: dict[str, Any]) -> None:
        """Says to the other processes what they `hear`."""
        if self.store is not None:
            self.store.set(RUN, json.dumps(message))

    def hear(self) -> dict[str, Any]:
        """Waits for what the first process tells, however long it reads pictures.

        Raises:
            PeerFailedError: it failed before.
        """
        assert self.store is not None
        began = said = time.monotonic()
        while not self.store.check([RUN]):
            if self.store.check([FAILED]):
                raise PeerFailedError(_failure(self.store))
            time.sleep(BEAT_S / 4)
            if time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                waited = clock(said - began)
                say_beside(f"process {self.place.rank} has waited {waited} for the first to read the pictures")
        return json.loads(self.store.get(RUN))

    def part(self) -> None:
        """The common work is done: from here on a process that ends is not missed."""
        if self.watch is None:
            return
        self.watch.end()
        # All are here at the same time, which NCCL wants of those who take leave.
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def fail(self, sentence: str) -> None:
        """Says to the other processes that this one cannot go on, and why."""
        if self.store is None:
            return
        with suppress(RuntimeError):
            if not self.store.check([FAILED]):
                self.store.set(FAILED, f"process {self.place.rank} of the run failed: {sentence}")
            if self.place.rank == 0:
                # The store may live in this process: the others should have read it before it goes.
                _until(lambda: self.store.add(HEARD, 0) >= self.place.size - 1, 2 * BEAT_S)

    def whose_failure(self, error: Exception) -> str | None:
        """Why the connection to another process was lost; None where `error` says nothing of that kind."""
        if self.store is None or not is_lost_connection(error):
            return None
        with suppress(RuntimeError):
            if _until(lambda: self.store.check([FAILED]), GRACE_S / 2):
                return _failure(self.store)
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return f"the connection to another process of the run was lost ({first_line}); see what that process printed"


class Watch(threading.Thread):
    """Gives signs of life, and ends this process when another one is gone and it waits for it in vain."""

    def __init__(self, store: Store, place: ProcessRank) -> None:
        super().__init__(daemon=True, name="watch")
        self.store = store
        self.place = place
        self.leaving = threading.Event()
        self.seen: dict[int, tuple[bytes, float]] = {}

    def run(self) -> None:
        beats = 0
        while not self.leaving.wait(BEAT_S):
            beats += 1
            trouble = self._trouble(beats)
            if trouble and not self.leaving.wait(GRACE_S):
                say_error(trouble)
                os._exit(1)

    def end(self) -> None:
        self.leaving.set()
        self.join()
        with suppress(RuntimeError):
            self.store.set(_beat(self.place.rank), LEFT)

    def _trouble(self, beats: int) -> str | None:
        try:
            self.store.set(_beat(self.place.rank), str(beats))
            if self.store.check([FAILED]):
                self.store.add(HEARD, 1)
                return _failure(self.store)
            lost = self._lost() if self.place.rank == 0 else None
            if lost is not None:
                sentence = f"process {lost} of the run has given no sign of life for {LOST_S:.0f} s"
                self.store.set(FAILED, sentence)
                return sentence
        except RuntimeError:
            return "the first process of the run cannot be reached any more; see what it printed"
        return None

    def _lost(self) -> int | None:
        now = time.monotonic()
        for rank in range(1, self.place.size):
            beat = self.store.get(_beat(rank)) if self.store.check([_beat(rank)]) else b""
            if beat == LEFT.encode():
                continue
            before, since = self.seen.get(rank, (None, now))
            self.seen[rank] = (beat, since if beat == before else now)
            if now - self.seen[rank][1] > LOST_S:
                return rank
        return None


@contextmanager
def launched() -> Iterator[Launch]:
    """This process's place among those that a launcher started; what ends one of them ends all.

    Raises:
        PeerFailedError: the work inside failed because another process did.
    """
    launch = Launch(own_rank())
    try:
        yield launch
    except (InputError, MachineError, PeerFailedError) as error:
        launch.fail(str(error))
        raise
    except Interrupted:
        launch.part()  # all were asked, and leave at the same step
        raise
    except Exception as error:
        reason = launch.whose_failure(error)
        if reason is None:
            launch.fail(f"{type(error).__name__}: {error}")
            raise
        raise PeerFailedError(reason) from error
    launch.part()


def _gather(place: ProcessRank) -> Store:
    """A store that all processes share; training's own group meets at the same address."""
    os.environ.update(place.environment())
    timeout = timedelta(seconds=GATHER_S)
    try:
        store, _, _ = next(distributed.rendezvous("env://", timeout=timeout))
        store.set_timeout(timedelta(seconds=LOST_S))
        # torchrun's store may outlive processes that it starts anew.
        return distributed.PrefixStore(f"animeid/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    except RuntimeError as error:
        host, port = place.address
        raise InputError(
            f"process {place.rank} of {place.size} did not meet the others at {host}:{port} within {GATHER_S:.0f} s: "
            "start the same command on every node, and let the nodes reach that port"
        ) from error


def _beat(rank: int) -> str:
    return f"beat/{rank}"


def _failure(store: Store) -> str:
    return store.get(FAILED).decode()


def _until(is_so: Any, seconds: float) -> bool:
    """Whether it became so in time."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
