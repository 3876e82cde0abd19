"""Lines of the scale benchmark: seconds and memory of sizes that grow, how the seconds grow, and the goal."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import psutil

SHARE = float(os.environ.get("SCALE", "1"))
"""Sizes are this share of what the page states: `SCALE=0.01` tries whether everything runs."""

EVERY_S = 0.02
HEADER = ["what", "size", "seconds", "peak memory, MiB", "seconds grow as size to the", "goal", "met"]


def sized(number: int, least: int = 1) -> int:
    """A size of the benchmark, or what `SHARE` leaves of it."""
    return max(least, round(number * SHARE))


class Watch:
    """Within `with`, measures `seconds` and the process's peak memory `mib`, without pages of files on disk."""

    def __init__(self) -> None:
        self.seconds, self.mib = 0.0, 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.seconds = time.perf_counter() - self._began
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        process = psutil.Process()
        while True:
            memory = process.memory_info()
            self.mib = max(self.mib, (memory.rss - memory.shared) / 2**20)
            if self._ended.wait(EVERY_S):
                return

    @property
    def found(self) -> list[float]:
        """Plain values: seconds and MiB."""
        return [self.seconds, self.mib]


@dataclass(frozen=True)
class Goal:
    """What the largest size must keep: seconds, MiB, or both; `text` says it."""

    text: str
    seconds: float = np.inf
    mib: float = np.inf


@dataclass(frozen=True)
class Line:
    """One line of the page.

    size: of the largest measurement, in words. sizes, measured: of all, with seconds and MiB each.
    """

    what: str
    size: str
    sizes: Sequence[int]
    measured: Sequence[Sequence[float]]
    goal: Goal | None = None

    @property
    def exponent(self) -> float:
        """The least squares' slope of log seconds over log size."""
        return float(np.polyfit(np.log(self.sizes), np.log([seconds for seconds, _ in self.measured]), 1)[0])

    def cells(self) -> list[str]:
        seconds, mib = self.measured[-1]
        grows = f"{self.exponent:.2f}" if len(set(self.sizes)) > 1 else "–"
        text, met = "–", "–"
        if self.goal is not None:
            text = self.goal.text
            met = "met" if seconds < self.goal.seconds and mib < self.goal.mib else "not met"
        return [self.what, self.size, f"{seconds:.3g}", f"{mib:,.0f}", grows, text, met]
