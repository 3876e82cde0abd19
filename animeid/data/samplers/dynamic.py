"""From all classes equally often to each as often as it is."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from animeid.data.samplers.planned import Planned
from animeid.data.samplers.stateless import class_counts
from animeid.terms import UNKNOWN_TARGET


class Dynamic(Planned):
    """Draws with replacement from `(1 - t) balanced + t natural`, with t going evenly from 0 to 1 over the epochs.

    Both are class distributions that sum to 1: the mixture is the progressively balanced sampling of Kang 2020 (arXiv
    1910.09217, equation 2), run from the balanced end. Within a class all pictures are as likely. The last planned
    epoch is natural, and so are all after it; a single epoch is balanced. An epoch has as many draws as there are
    training pictures. Pictures of no class are never drawn.

    Args:
        rows: `[N]` int64 manifest rows of the training part.
        targets: `[N]` int64, the class of each of these rows.
        num_classes: C.
        epochs: how many the way takes; `auto` is all epochs of the run, and filled in by the plan.
    """

    def __init__(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        num_classes: int,
        *,
        epochs: Annotated[int, Ge(1)] | Literal["auto"] = "auto",
    ) -> None:
        super().__init__(epochs)
        self.rows = rows
        self.targets = targets
        self.counts = class_counts(targets, num_classes)

    def prior_of(self, epoch: int) -> np.ndarray:
        """`[C]` float64: the class distribution of an epoch's draws; 0 for a class without pictures."""
        natural = self.counts / self.counts.sum()
        balanced = (self.counts > 0) / np.count_nonzero(self.counts)
        way = min(epoch / max(self.epochs - 1, 1), 1.0)
        return (1 - way) * balanced + way * natural

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws."""
        weights = self.prior_of(epoch) / np.maximum(self.counts, 1)
        probabilities = np.where(self.targets == UNKNOWN_TARGET, 0.0, weights[self.targets])
        # What rounding leaves of the sum's distance to 1 would be refused for millions of pictures.
        probabilities /= probabilities.sum()
        return np.random.default_rng([seed, epoch]).choice(self.rows, size=len(self.rows), p=probabilities)

    def prior(self) -> np.ndarray:
        """`[C]` float64: the mean over the planned epochs, which is what the run shows in all."""
        return np.mean([self.prior_of(epoch) for epoch in range(self.epochs)], axis=0)
