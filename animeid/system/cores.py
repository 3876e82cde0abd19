"""Work on many things with a thread a core, for what releases the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from animeid.system.machine import usable_cores

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def on_all_cores(work: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
    """What `work` answers of each item, in their order; one thing alone is done where it is asked for.

    An error ends the rest, as does whoever asks for no more.
    """
    items = list(items)
    if len(items) < 2:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(usable_cores())
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)
