"""Cores that other programs leave free, measured between two moments of this process."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil

from animeid.system.machine import ROOT, allowed_cores, allowed_numbers, usable_cores

WINDOW_S = 0.3
"""The shortest time that is measured over: the system counts hundredths of a second."""


def idle_seconds() -> float:
    """Seconds that the cores of this process, taken together, have had nothing to do; as if that were all of them where
    a sandbox keeps the system's counts to itself."""
    try:
        cores = psutil.cpu_times(percpu=True)
    except (OSError, psutil.Error):
        return allowed_cores() * time.monotonic()
    numbers = allowed_numbers()
    there = [core for number, core in enumerate(cores) if numbers is None or number in numbers] or cores
    # Waiting for a disk is idle as well; only Linux counts it apart.
    return sum(core.idle + getattr(core, "iowait", 0.0) for core in there)


@dataclass(frozen=True)
class Moment:
    """Counts of seconds at a moment.

    at: of the clock. idle: for which the cores that this process may run on, taken together, had nothing to do.
    own: of processor time that this process and those that it started, and that have ended, have used.
    """

    at: float
    idle: float
    own: float

    @classmethod
    def now(cls) -> Moment:
        return cls(time.monotonic(), idle_seconds(), sum(os.times()[:4]))

    def free_until(self, later: Moment) -> float:
        """Cores' worth of time that was idle or this process's own."""
        return (later.idle - self.idle + later.own - self.own) / (later.at - self.at)


@dataclass(frozen=True)
class Room:
    """What this process can have of the machine.

    cores: whole ones that affinity and containers allow. free: cores' worth that other programs leave of them.
    """

    cores: int
    free: float

    @classmethod
    def since(cls, before: Moment) -> Room:
        """Measured from a moment until now; waits where that was less than `WINDOW_S` ago."""
        time.sleep(max(0.0, before.at + WINDOW_S - time.monotonic()))
        cores = usable_cores(ROOT)
        return cls(cores, min(before.free_until(Moment.now()), float(cores)))

    @property
    def taken(self) -> float:
        """Cores' worth that other programs use."""
        return max(0.0, self.cores - self.free)

    @property
    def is_busy(self) -> bool:
        """Whether other programs use half a core or more, beside which no speed can be measured."""
        return self.taken >= 0.5

    @property
    def threads(self) -> int:
        """Threads that have a core each; below half a core what others use does not count."""
        return max(1, min(self.cores, int(self.free + 0.5)))
