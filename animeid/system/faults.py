"""Known errors of other packages, in sentences."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from animeid.errors import InputError, MachineError
from animeid.system.shared_memory import FOLDER, WAY_OUT

NO_ROOM = {
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or have the quota raised"),
    errno.EFBIG: (
        "a file would be larger than files may be here",
        "raise the limit of this process (see `ulimit -f`), or write to a file system that takes larger files",
    ),
}
"""Why a file cannot be written to its end, and what to do."""

OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")
"""What torch says of its processor's allocator, of cuda's and of mps's, in small letters; its error type differs."""

NO_SHARED_MEMORY = ("shared memory", "</torch_", "bus error")
"""What torch says in small letters where a worker cannot hand its batch over; the system may kill the worker, too."""

DEAD_WORKER = ("DataLoader worker", "is killed by signal", "exited unexpectedly")


def explained(error: Exception) -> Exception | None:
    """The same in one sentence of ours; None where it may be a bug."""
    text = " ".join(str(error).split())
    if isinstance(error, FileNotFoundError) and not _stands_somewhere():
        return InputError("the folder that this was started in is gone: change to one that is there, and start again")
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        what, way_out = NO_ROOM[error.errno]
        where = f" ({error.filename})" if error.filename else ""
        return MachineError(f"{what}{where}: {way_out}")
    if isinstance(error, RuntimeError) and any(words in text.lower() for words in NO_SHARED_MEMORY):
        return MachineError(f"{FOLDER} is too small for the batches that loader workers hand over: {WAY_OUT}")
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in text.lower() for words in OUT_OF_MEMORY)
    ):
        return InputError(
            "a batch does not fit into memory: lower data.batch_size (trainer.accumulate_grad_batches=2 makes up for "
            "half of it) or data.image_size, or choose a smaller model"
        )
    if isinstance(error, RuntimeError) and DEAD_WORKER[0] in text and any(words in text for words in DEAD_WORKER[1:]):
        return MachineError(
            "a process that loads pictures was killed, which the system does when memory runs out: lower "
            "data.num_workers or data.batch_size"
        )
    return None


def _stands_somewhere() -> bool:
    try:
        return bool(os.getcwd())  # noqa: PTH109 - a text is enough
    except FileNotFoundError:
        return False


@contextmanager
def in_sentences() -> Iterator[None]:
    """Turns known faults of the machine into sentences; anything else passes.

    Raises:
        InputError, MachineError: a known fault.
    """
    try:
        yield
    except (InputError, MachineError):
        raise
    except Exception as error:
        found = explained(error)
        if found is None:
            raise
        raise found from error
