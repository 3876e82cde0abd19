"""One process at a time: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Literal

from animeid.errors import InputError
from animeid.system.console import say

MOMENT_S = 1.0
FOLDER = ".locks"


def lock_file(path: Path, name: str | int) -> Path:
    """That of what is called `name` in the folder `path`."""
    return path / FOLDER / str(name)


@contextmanager
def lock(path: Path, what: str, *, waits: bool = False) -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    Args:
        path: a file for this purpose only; it stays, since removing it would let two processes hold two locks.
        what: what is locked, for the sentence.
        waits: wait until another process lets go, and say so if that takes longer than a moment.

    Raises:
        InputError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            if not _taken_within(MOMENT_S if waits else 0.0, stream):
                stream.seek(0)
                holder = stream.read().strip() or "another process"
                if not waits:
                    raise InputError(
                        f"{holder} is at work on {what}: wait until it has ended, or choose another run_id"
                    )
                say(f"waiting for {holder}, which is at work on {what}")
                fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            # Some cluster file systems are mounted without locks; that is no reason to refuse them.
            _say_once(f"{what} cannot be locked here ({error.strerror}): see to it that no second process works on it")
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        yield


def state_of(path: Path) -> Literal["free", "held", "unknown"]:
    """Whether a process holds the lock file; `unknown` on a file system without locks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            return "free" if _taken_within(0.0, stream) else "held"
        except OSError:
            return "unknown"


@cache
def _say_once(sentence: str) -> None:
    """Says what a process finds again at every lock that it takes."""
    say(sentence)


def _taken_within(seconds: float, stream: IO[str]) -> bool:
    """Tries to lock an open file, for so long."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
        else:
            return True
