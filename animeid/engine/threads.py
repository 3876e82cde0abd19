"""Threads of torch: as many as there are cores free.

Threads that wait for a core which another program has spin, and keep those back that have one: on a machine of two busy
cores two threads are up to ten times slower than one. Sums are parted among threads, so that their number moves
results in the last digits; it is said and recorded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from animeid.system.console import counted
from animeid.system.load import Moment, Room

CHOSEN_BY = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables by which a user sets the number; torch reads them when it starts."""


@dataclass(frozen=True)
class Threads:
    """So many threads, and why there are not more; empty where torch's own number is taken."""

    number: int
    reason: str = ""

    @property
    def told(self) -> str:
        threads = counted(self.number, "thread")
        return f"{threads} ({self.reason})" if self.reason else threads


@contextmanager
def own_threads() -> Iterator[None]:
    """What is chosen inside ends with it."""
    # Asked of this thread first: torch takes the number of whichever thread sets one before for all of the process.
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def take_free_threads(before: Moment) -> Threads:
    """Sets and returns the threads for what follows, inside `own_threads`.

    Args:
        before: since when the load of the machine is measured.
    """
    most = torch.get_num_threads()
    is_chosen = most == 1 or any(os.environ.get(name) for name in CHOSEN_BY)
    threads = Threads(most) if is_chosen else fitting(most, Room.since(before))
    torch.set_num_threads(threads.number)
    return threads


def fitting(most: int, room: Room) -> Threads:
    """As many of the `most` threads that torch would start as there is room for."""
    number = min(most, room.threads)
    if number == most:
        return Threads(number)
    cores = counted(room.cores, "core")
    taken = f"other programs use {room.taken:.1f} of {cores}"
    limits = taken if number < room.cores else f"this container has the time of {cores}"
    return Threads(number, f"{limits}; OMP_NUM_THREADS={most} takes {most} all the same")
