"""Each drawn picture several times in a row."""

from __future__ import annotations

import numpy as np

from animeid.data.samplers.around import Around
from animeid.types import Sampler


class InViews(Around):
    """Another sampler's stream with each draw repeated, so that a batch holds several views of a picture.

    Repetitions are other draws, and so are augmented differently. With several ranks, each of which takes every W-th
    draw, all views of a picture are one rank's.

    Args:
        sampler: whose draws are repeated.
        views: how often.
        ranks: W.
    """

    def __init__(self, sampler: Sampler, views: int, ranks: int) -> None:
        super().__init__(sampler)
        self.views, self.ranks = views, ranks

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N views]` int64 manifest rows in the order of their draws."""
        rows = self.sampler.stream(seed, epoch)
        whole = len(rows) - len(rows) % self.ranks
        rounds = np.repeat(rows[:whole].reshape(-1, self.ranks), self.views, axis=0)
        return np.concatenate([rounds.ravel(), np.repeat(rows[whole:], self.views)])
