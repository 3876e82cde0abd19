"""Each drawn picture several times in a row."""

from __future__ import annotations

import numpy as np

from animeid.data.samplers.wrapped import WrappedSampler
from animeid.types import Sampler


class RepeatedViews(WrappedSampler):
    """Another sampler's stream with each draw repeated, so that a batch holds several views of a picture.

    Repetitions are other draws, and so are augmented differently. `ShardedStream` and `TrainingBatches` keep them
    together.

    Args:
        sampler: whose draws are repeated.
        views: how often.
    """

    def __init__(self, sampler: Sampler, views: int) -> None:
        super().__init__(sampler)
        self.views = views

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N views]` int64 manifest rows in the order of their draws."""
        return np.repeat(self.sampler.stream(seed, epoch), self.views)
