"""One process at a time: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from animeid.errors import InputError
from animeid.say import say


@contextmanager
def lock(path: Path, what: str, *, waits: bool = False) -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    Args:
        path: a file for this purpose only; it stays, since removing it would let two processes hold two locks.
        what: what is locked, for the sentence.
        waits: wait until another process lets go, for a lock that is held for moments.

    Raises:
        InputError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            raise InputError(
                f"{holder} is at work on {what}: wait until it has ended, or choose another run_id"
            ) from None
        except OSError as error:
            # Some cluster file systems are mounted without locks; that is no reason to refuse them.
            say(f"{what} cannot be locked here ({error.strerror}): see to it that no second process works on it")
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        yield
