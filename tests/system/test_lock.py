"""Locks: one holder at a time, and none after its process, whatever it has forked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.system.lock import lock, refuse_held, state_of

HOLDER = """
import os, sys, multiprocessing, time
from pathlib import Path
from animeid.system.lock import lock
def work():
    print(os.getpid(), flush=True)  # by itself, when it is one: a busy machine lets its parent go on before
    time.sleep(60)
with lock(Path(sys.argv[1]), 'it'):
    multiprocessing.get_context('fork').Process(target=work).start()
    sys.stdin.read()
"""


def test_a_holder_is_named_and_whoever_asks_takes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "it"
    refuse_held(path, "it")
    assert not path.exists()
    here = f"^process {os.getpid()} on .* is at work on it: wait for its end or stop it, or choose another run_id$"
    with lock(path, "it"):
        with pytest.raises(InputError, match=here):
            refuse_held(path, "it")
        with pytest.raises(InputError, match=here), lock(path, "it"):
            pass
    refuse_held(path, "it")


def test_a_kill_frees_the_lock_though_what_it_forked_lives_on(tmp_path: Path) -> None:
    """A loader's workers notice only after seconds that they have nobody to work for."""
    path = tmp_path / "it"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        worker = int(holder.stdout.readline())
        try:
            with pytest.raises(InputError, match=f"process {holder.pid} "):
                refuse_held(path, "it")
            holder.kill()
            holder.wait()
            os.kill(worker, 0)
            assert state_of(path) == "free"
        finally:
            os.kill(worker, signal.SIGKILL)


def take_and_leave(path: Path, times: int) -> int:
    """How often the lock was had; a file beside it would be found by another who had it at the same moment."""
    had = 0
    for _ in range(times):
        try:
            with lock(path, "it", removes=True):
                sign = path.with_name("sign")
                sign.touch(exist_ok=False)
                sign.unlink()
                had += 1
        except InputError:
            continue
    return had


def test_a_lock_file_that_is_removed_is_never_held_by_two(tmp_path: Path) -> None:
    path = tmp_path / "below" / "it"
    with get_context("fork").Pool(3) as pool:
        assert min(pool.starmap(take_and_leave, [(path, 150)] * 3)) > 0
    assert not list(path.parent.iterdir())


def test_forking_lets_go_in_the_child_alone(tmp_path: Path) -> None:
    with lock(tmp_path / "it", "it"):
        child = get_context("fork").Process(target=int)
        child.start()
        child.join()
        assert state_of(tmp_path / "it") == "held"
    assert re.fullmatch(rf"process {os.getpid()} on .+", (tmp_path / "it").read_text())
