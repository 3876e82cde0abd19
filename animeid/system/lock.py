"""One process at a time: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Literal

from animeid.errors import InputError
from animeid.system.console import say

MOMENT_S = 1.0
INSTANT_S = 0.2
"""Seconds in which a process that only asked who holds a lock has let go of it."""
FOLDER = ".locks"

_held: set[IO[str]] = set()


def lock_file(path: Path, name: str | int) -> Path:
    """That of what is called `name` in the folder `path`."""
    return path / FOLDER / str(name)


@contextmanager
def lock(path: Path, what: str, *, waits: bool = False, removes: bool = False) -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    Args:
        path: a file for this purpose only.
        what: what is locked, for the sentence.
        waits: wait until another process lets go, and say so if that takes longer than a moment.
        removes: whether nothing is left of the file afterwards, but by a kill.

    Raises:
        InputError: another process holds it.
        OSError: the file cannot be made.
    """
    stream = _taken(path, what, waits)
    try:
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        _held.add(stream)
        yield
    finally:
        _held.discard(stream)
        if removes:
            path.unlink(missing_ok=True)
        stream.close()


def refuse_held(path: Path, what: str) -> None:
    """Asks without taking the lock; where it cannot be told, nothing is refused.

    Raises:
        InputError: a process holds it.
    """
    with suppress(OSError), path.open(encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(_at_work(stream, what)) from None


def state_of(path: Path) -> Literal["free", "held", "unknown"]:
    """Whether a process holds the lock file; `unknown` on a file system without locks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            return "free" if _taken_within(0.0, stream) else "held"
        except OSError:
            return "unknown"


def _taken(path: Path, what: str, waits: bool) -> IO[str]:
    """The lock file, open and locked; one that its holder removed meanwhile would lock nothing, and is made again."""
    while True:
        stream = _opened(path)
        try:
            _take(stream, what, waits)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                    return stream
        except BaseException:
            stream.close()
            raise
        stream.close()


def _opened(path: Path) -> IO[str]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process gave the folder back in between
            return path.open("a+", encoding="utf-8")


def _take(stream: IO[str], what: str, waits: bool) -> None:
    try:
        if not _taken_within(MOMENT_S if waits else INSTANT_S, stream):
            if not waits:
                raise InputError(_at_work(stream, what))
            say(f"waiting for {_holder(stream)}, which is at work on {what}")
            fcntl.flock(stream, fcntl.LOCK_EX)
    except OSError as error:
        # Some cluster file systems are mounted without locks; that is no reason to refuse them.
        _say_once(f"{what} cannot be locked here ({error.strerror}): see to it that no second process works on it")


def _at_work(stream: IO[str], what: str) -> str:
    return f"{_holder(stream)} is at work on {what}: wait for its end or stop it, or choose another run_id"


def _holder(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read().strip() or "another process"


def _let_go() -> None:
    """In a forked process, such as a loader's worker, which would hold its parent's locks beyond the parent's death."""
    for stream in _held:
        stream.close()
    _held.clear()


os.register_at_fork(after_in_child=_let_go)


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
