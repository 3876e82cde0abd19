"""Pictures of rare classes more often."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from animeid.data.samplers.stateless import Stateless, class_counts
from animeid.terms import UNKNOWN_TARGET


class Weighted(Stateless):
    """Draws with replacement, each picture with a weight of `1 / n^power`, where n is the size of its class.

    Power 0 shows classes as often as they are, 1 all equally often, 1/2 is square-root sampling (Mahajan et al. 2018,
    arXiv 1805.00932). An epoch has as many draws as there are training pictures. Pictures of no class are never drawn.

    Args:
        rows: `[N]` int64 manifest rows of the training part.
        targets: `[N]` int64, the class of each of these rows.
        num_classes: C.
        power: how strongly rare classes are lifted.
    """

    def __init__(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        num_classes: int,
        *,
        power: Annotated[float, Interval(ge=0, le=10)] = 1.0,
    ) -> None:
        self.rows = rows
        counts = class_counts(targets, num_classes)
        # An absent class has no picture to weigh; a size of 1 keeps its power finite.
        class_weights = np.maximum(counts, 1).astype(float) ** -power
        weights = np.where(targets == UNKNOWN_TARGET, 0.0, class_weights[targets])
        self.probabilities = weights / weights.sum()
        self.shares = counts * class_weights / (counts * class_weights).sum()

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws."""
        generator = np.random.default_rng([seed, epoch])
        return generator.choice(self.rows, size=len(self.rows), p=self.probabilities)

    def prior(self) -> np.ndarray:
        """`[C]` float64: the class distribution of the draws, proportional to `n^(1 - power)`."""
        return self.shares
