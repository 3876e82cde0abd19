"""The last answers of one version by all workers: a file of fixed size, where new rows replace the oldest."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

ROWS = 1000
ROW = np.dtype([("confidence", "<f4"), ("target", "<i4"), ("distance", "<f4")])
"""The probability of the likeliest name, its class, and the distance to the nearest class mean, which may be NaN."""
SEEN = struct.Struct("<q")
"""How many rows have ever been written stands before them."""


@dataclass(frozen=True)
class Window:
    """The last `ROWS` answers, whichever worker gave them; they outlive it.

    file: of `opened`.
    """

    file: Path

    @classmethod
    def opened(cls, file: Path) -> Self:
        """Makes the file, unless another worker has: with all its bytes, so that a full disk costs no answer later."""
        window = cls(file)
        with window._locked() as descriptor:
            os.posix_fallocate(descriptor, 0, SEEN.size + ROWS * ROW.itemsize)
        return window

    def add(self, confidence: float, target: int, distance: float) -> None:
        """Writes a row in the place of the oldest."""
        with self._locked() as descriptor:
            seen = _seen(descriptor)
            row = np.array((confidence, target, distance), ROW)
            os.pwrite(descriptor, row.tobytes(), SEEN.size + seen % ROWS * ROW.itemsize)
            os.pwrite(descriptor, SEEN.pack(seen + 1), 0)

    def rows(self) -> np.ndarray:
        """`[N]` of `ROW`, in no order."""
        with self._locked() as descriptor:
            count = min(_seen(descriptor), ROWS)
            return np.frombuffer(os.pread(descriptor, count * ROW.itemsize, SEEN.size), ROW)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def _seen(descriptor: int) -> int:
    return SEEN.unpack(os.pread(descriptor, SEEN.size, 0))[0]
