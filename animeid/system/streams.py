"""Standard streams whose reader may go away: what nobody reads any more is no reason to end the work."""

from __future__ import annotations

import errno
import os
import sys
from typing import TextIO

GONE = (errno.EPIPE, errno.ECONNRESET)
"""What writing raises after the other end of a pipe or socket was closed, as by `| head`."""


STANDARD = (1, 2)
"""The numbers of standard output and of standard error."""


def is_reader_gone(error: OSError) -> bool:
    return error.errno in GONE


def put(sentence: str, stream: TextIO | None) -> None:
    """Writes a line at once; where its reader is gone this one and all that follow go nowhere."""
    if stream is None:  # which print would take for standard output
        return
    try:
        print(sentence, file=stream, flush=True)
    except OSError as error:
        if not is_reader_gone(error):
            raise
        let_go(stream)


def let_go(stream: TextIO | None) -> None:
    """Sends what is still buffered for a closed pipe nowhere, and what is written later, by other packages too.

    Both standard streams where they share the pipe, as with `2>&1 | head`.
    """
    assert stream is not None
    own = stream.fileno()
    numbers = {own, *(other for other in STANDARD if os.path.sameopenfile(other, own))}
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        for number in numbers:
            os.dup2(nowhere.fileno(), number)


def open_missing() -> None:
    """Gives a process that was started without standard streams (`>&-`) some that go nowhere.

    Else the next file that is opened would have their numbers, and what others print would be written to it.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: PTH123, SIM115
