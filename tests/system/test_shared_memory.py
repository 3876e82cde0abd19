"""Loader workers where shared memory is small."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from animeid.system import shared_memory
from animeid.system.shared_memory import end_where_full, fitting_workers

MIB = 2**20


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(shared_memory.sys, "platform", "linux")
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    shared_memory._say_once.cache_clear()

    def set_free(mib: float) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=int(mib * MIB)))

    return set_free


@pytest.mark.parametrize(
    ("mib", "batch_mib", "fitting"),
    [(64, 0.4, 8), (64, 10, 1), (64, 5, 4), (64, 30, 0), (0, 1, 0), (10_000, 100, 8)],
)
def test_as_many_as_have_room_for_their_batches(free, mib: float, batch_mib: float, fitting: int, capsys) -> None:
    free(mib)
    found = fitting_workers(8, int(batch_mib * MIB))
    assert found == fitting
    assert (2 * found + 2) * batch_mib <= 0.8 * mib or found == 0
    told = capsys.readouterr().err
    assert told.startswith("WARNING: ") == (fitting < 8)
    assert (
        fitting == 8 or f"{fitting} load instead; for more, give the container more (docker run --shm-size=1g)" in told
    )


class Unsendable:
    """What cannot be put into a queue, for a reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __reduce__(self):
        raise RuntimeError(self.reason)


def _worker(queue: Any, reason: str) -> None:
    end_where_full(0)
    queue.put(Unsendable(reason))
    time.sleep(60)


@pytest.mark.parametrize(
    ("reason", "status"),
    [("unable to allocate shared memory(shm) for file </torch_9>: No space left", -signal.SIGBUS), ("a bug", 1)],
)
def test_a_worker_that_cannot_hand_over_ends(reason: str, status: int) -> None:
    context = multiprocessing.get_context("fork")
    worker = context.Process(target=_worker, args=(context.Queue(), reason), daemon=True)
    worker.start()
    worker.join(30)
    assert worker.exitcode == status


def test_it_is_said_once(free, capsys) -> None:
    free(0)
    assert fitting_workers(2, MIB) == fitting_workers(2, MIB) == 0
    assert capsys.readouterr().err.count("WARNING") == 1


def test_without_workers_none_is_needed(free, capsys) -> None:
    free(0)
    assert fitting_workers(0, MIB) == 0
    assert capsys.readouterr().err == ""


def test_a_system_without_it_has_no_workers(free, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path / "none")
    assert fitting_workers(4, MIB) == 0
    monkeypatch.setattr(shared_memory.sys, "platform", "darwin")
    assert fitting_workers(4, MIB) == 4
