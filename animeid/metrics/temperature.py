"""The slope of validation's likelihood in the temperature, a block of pictures at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from animeid.metrics.sureness import exponentials
from animeid.metrics.workspace import Workspace
from animeid.predictions import CACHE_BYTES, row_blocks
from animeid.system.cores import on_all_cores

COLDEST, HOTTEST = 0.01, 100.0
"""The temperatures that are looked at; beyond them probabilities are 0 and 1, or all alike."""

STEPS = 20
SMALL_STEP = 1e-6
"""Of Newton's steps, whose errors are squared: the one after it is no more than rounding."""


@dataclass(frozen=True)
class Slope:
    """What `fit_temperature` looks for the root of; see there.

    logits: `[N, C]`. targets: `[N]`. places: `[K]`, which pictures count, all of them of a class.
    """

    logits: np.ndarray
    targets: np.ndarray
    places: np.ndarray

    def _sums(self, of_block: Callable[[np.ndarray, np.ndarray, Workspace], np.ndarray]) -> np.ndarray:
        """What is asked of blocks, summed up: of logits `[B, C]` float64, whose highest is 0, and targets `[B]`."""
        space = Workspace()

        def look(block: slice) -> np.ndarray:
            logits = space.rows(self.logits, self.places[block])
            return of_block(space.behind(logits, logits.max(axis=1)), self.targets[self.places[block]], space)

        blocks = row_blocks(len(self.places), 8 * self.logits.shape[1], CACHE_BYTES)
        return np.sum(list(on_all_cores(look, blocks)), axis=0)

    def at(self, log_temperature: float) -> tuple[float, float, bool]:
        """The slope of the sum in 1 / T, the slope's in log T, and whether T changes nothing, in one pass."""
        coldness = np.exp(-log_temperature)

        def moments(logits: np.ndarray, targets: np.ndarray, space: Workspace) -> np.ndarray:
            shares = exponentials(np.multiply(logits, coldness, out=space.array("shares", logits.shape)))
            weight = shares.sum(axis=1)
            shares *= logits
            mean = shares.sum(axis=1) / weight
            variance = (np.einsum("ij,ij->i", shares, logits) / weight - mean**2).sum()
            own = np.take_along_axis(logits, targets[:, None], axis=1).sum()
            return np.array([mean.sum(), variance, own, logits.mean(axis=1).sum(), logits.any()])

        expected, variance, own, uniform, differ = self._sums(moments).tolist()
        smoothed = 1 + 1 / len(self.places)
        slope = smoothed * expected - (own + uniform / len(self.places))
        return slope, -float(coldness) * smoothed * variance, not differ

    def root(self, place: float = 0.0) -> float:
        """The log T where the slope is 0, or the end of what is looked at where it is 0 beyond it.

        Newton's steps, and halves of what is left to look at where one leads out of it.

        Args:
            place: a log T near it, where one is known.
        """
        coldest, hottest = float(np.log(COLDEST)), float(np.log(HOTTEST))
        low, high = coldest, hottest
        while high - low > SMALL_STEP:
            value, slope, is_flat = self.at(place)
            if is_flat:
                return 0.0
            low, high = (place, high) if value > 0 else (low, place)
            found = place - value / slope if slope else np.nan
            if abs(found - place) < SMALL_STEP:
                return found
            if not low < found < high:
                found = (low + high) / 2
            place = found
        return low if low == coldest else high
