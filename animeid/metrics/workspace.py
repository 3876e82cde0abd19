"""Memory that blocks are worked on in, kept by each thread from block to block."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import DTypeLike


class Workspace(threading.local):
    """Arrays by name, of each thread its own: to get a megabyte from the system anew takes longer than to fill it."""

    def __init__(self) -> None:
        self._kept: dict[str, np.ndarray] = {}

    def array(self, name: str, shape: tuple[int, int], dtype: DTypeLike = np.float64) -> np.ndarray:
        """An array of any content, which is the same memory for the next who asks for the name."""
        size = shape[0] * shape[1]
        if name not in self._kept or self._kept[name].size < size:
            self._kept[name] = np.empty(size, dtype)
        return self._kept[name][:size].reshape(shape)

    def rows(self, table: np.ndarray, places: np.ndarray) -> np.ndarray:
        """`table[places]`, of `[N, C]` and `[K]` places."""
        kept = self.array("rows", (len(places), table.shape[1]), table.dtype)
        return np.take(table, places, axis=0, out=kept, mode="clip")  # "raise" would copy it first

    def behind(self, values: np.ndarray, most: np.ndarray) -> np.ndarray:
        """`values - most` `[N, C]` float64, of `[N, C]` and the row maxima `[N]`."""
        return np.subtract(values, most[:, None], out=self.array("behind", values.shape), dtype=np.float64)
