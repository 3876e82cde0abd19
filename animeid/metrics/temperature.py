"""The slope of validation's likelihood in the temperature, a block of pictures at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from animeid.metrics.sureness import exponentials
from animeid.predictions import CACHE_BYTES, row_blocks

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

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Logits `[B, C]` float64, of which the highest is 0, and targets `[B]`."""
        for block in row_blocks(len(self.places), 8 * self.logits.shape[1], CACHE_BYTES):
            logits = np.asarray(self.logits[self.places[block]])
            highest = logits.max(axis=1, keepdims=True)
            yield np.subtract(logits, highest, dtype=np.float64), self.targets[self.places[block]]

    @cached_property
    def of_truth(self) -> float:
        """The targets' logits summed up, and those of a uniform target of the average picture."""
        own, mean = 0.0, 0.0
        for logits, targets in self.blocks():
            own += float(np.take_along_axis(logits, targets[:, None], axis=1).sum())
            mean += float(logits.mean(axis=1).sum())
        return own + mean / len(self.places)

    @cached_property
    def is_flat(self) -> bool:
        return not any(logits.any() for logits, _ in self.blocks())

    def at(self, log_temperature: float) -> tuple[float, float]:
        """The slope of the sum in 1 / T, and the slope's in log T."""
        coldness, expected, variance = np.exp(-log_temperature), 0.0, 0.0
        for logits, _ in self.blocks():
            shares = exponentials(logits * coldness)
            weight = shares.sum(axis=1)
            shares *= logits
            mean = shares.sum(axis=1) / weight
            expected += float(mean.sum())
            variance += float((np.einsum("ij,ij->i", shares, logits) / weight - mean**2).sum())
        more = 1 + 1 / len(self.places)
        return expected * more - self.of_truth, -coldness * variance * more

    def root(self) -> float:
        """The log T where the slope is 0, or the end of what is looked at where it is 0 beyond it."""
        if self.is_flat:
            return 0.0
        low, high = np.log(COLDEST), np.log(HOTTEST)
        if self.at(low)[0] <= 0:
            return low
        if self.at(high)[0] >= 0:
            return high
        return float(brentq(lambda place: self.at(place)[0], low, high, xtol=1e-10))

    def root_near(self, place: float) -> float:
        """`root`, by Newton's steps from a place near it; where they lead nowhere, from nowhere."""
        low, high = np.log(COLDEST), np.log(HOTTEST)
        for _ in range(STEPS):
            value, slope = self.at(place)
            step = value / slope if slope else np.inf
            place -= step
            if not low < place < high:
                break
            if abs(step) < SMALL_STEP:
                return place
        return self.root()
