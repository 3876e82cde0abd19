"""Work on many things with a thread a core, for what releases the interpreter's lock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import TypeVar

from animeid.system.machine import usable_cores

Item = TypeVar("Item")
Answer = TypeVar("Answer")

QUICK_SECONDS = 5e-4
"""What takes less is done sooner by one thread than by two, which wait for one another's use of the interpreter."""
TRIED, TRIAL_SECONDS = 16, 0.02
"""So many things tell how long one takes, or as many as are done in that time after the first."""


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


def of_many(work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Answer]:
    """`on_all_cores` of many things that may be small: small ones are done one after the other where it is asked for.

    The latest ones tell, so that a thread a core begins where large ones follow small ones.
    """
    latest: deque[float] = deque(maxlen=TRIED)
    for place, item in enumerate(items, start=1):
        began = time.perf_counter()
        answer = work(item)
        latest.append(time.perf_counter() - began)
        yield answer
        if _tell_large([*latest]):
            yield from on_all_cores(work, items[place:])
            return


def _tell_large(seconds: Sequence[float]) -> bool:
    """Whether so many tell, and say that things are large."""
    are_enough = len(seconds) == TRIED or sum(seconds[1:]) > TRIAL_SECONDS  # the first pays for what is loaded once
    return are_enough and median(seconds) >= QUICK_SECONDS
