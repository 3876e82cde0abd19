"""Shared memory, in which loader workers hand batches over: containers often have little of it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import traceback
from functools import cache
from multiprocessing.queues import Queue
from pathlib import Path

from animeid.system.console import say_beside

FOLDER = Path("/dev/shm")
"""Where Linux keeps it."""

AHEAD = 2
"""Batches that each worker has ready, and that the main process holds meanwhile."""

SHARE = 0.8
"""Of what is free; the queues need some as well."""

WAY_OUT = "give the container more (docker run --shm-size=1g), or take data.num_workers=0"


def fitting_workers(asked: int, batch_bytes: int) -> int:
    """As many of the workers that were asked for as have room for their batches; says it where those are fewer."""
    free = free_bytes()
    if asked == 0 or free is None:
        return asked
    room = int(SHARE * free / batch_bytes) if batch_bytes else asked
    fitting = max(0, min(asked, (room - AHEAD) // AHEAD))
    if fitting < asked:
        _say_once(
            f"WARNING: {FOLDER} has {free / 2**20:.0f} MiB free, which is too little for the batches of {asked} "
            f"loader workers: {fitting} load instead; for more, {WAY_OUT.partition(',')[0]}"
        )
    return fitting


def end_where_full(worker: int = 0) -> None:  # noqa: ARG001
    """Has this loader worker end where it cannot hand a batch over, by the signal of full shared memory.

    Else its queue prints the error and goes on without the batch, which the main process waits for without end.
    """
    Queue._on_queue_feeder_error = staticmethod(_end)  # type: ignore[attr-defined]


def _end(error: Exception, _batch: object) -> None:
    if "shared memory" in str(error):  # as torch says it
        signal.pthread_kill(threading.get_ident(), signal.SIGBUS)
    else:
        traceback.print_exception(error)
        os._exit(1)


def free_bytes() -> int | None:
    """What is free; None where the system has another kind, which is not counted."""
    if not sys.platform.startswith("linux"):
        return None
    return shutil.disk_usage(FOLDER).free if FOLDER.is_dir() else 0


@cache
def _say_once(sentence: str) -> None:
    """A run builds its loaders several times."""
    say_beside(sentence)
