"""Every training picture once an epoch."""

from __future__ import annotations

import numpy as np

from animeid.data.samplers.contract import Choice
from animeid.data.samplers.stateless import Stateless, class_counts


class Natural(Stateless):
    """A new permutation of the training rows in each epoch.

    Args:
        rows: `[N]` int64 manifest rows of the training part.
        targets: `[N]` int64, the class of each of these rows.
        num_classes: C.
    """

    chooses: Choice = "nothing"

    def __init__(self, rows: np.ndarray, targets: np.ndarray, num_classes: int) -> None:
        self.rows = rows
        self.counts = class_counts(targets, num_classes)

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws."""
        return np.random.default_rng([seed, epoch]).permutation(self.rows)

    def prior(self) -> np.ndarray:
        """`[C]` float64: the share of each class in training."""
        return self.counts / self.counts.sum()
