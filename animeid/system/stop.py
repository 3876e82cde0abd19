"""SIGTERM as an exception, so that what is open is closed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from animeid.errors import Interrupted


@contextmanager
def stoppable() -> Iterator[None]:
    """Has SIGTERM raise `Interrupted`; training has a handler of its own while it lasts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise Interrupted(signum)
