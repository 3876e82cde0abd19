"""Progress with an estimate of the time left: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from animeid.system.console import say_beside

T = TypeVar("T")

PLAIN_EVERY_S = 10.0


def clock(seconds: float) -> str:
    """`75` becomes `1:15`, `3675` becomes `1:01:15`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yields `items` and reports on stderr how far along the work is and when it will end."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, desc=what, leave=False)
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= PLAIN_EVERY_S:
            last = now
            left = (now - start) / done * (total - done)
            say_beside(f"{what}: {done} of {total}, {clock(left)} left")
