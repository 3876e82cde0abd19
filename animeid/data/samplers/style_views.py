"""Beside each drawn picture, others of its class in other styles."""

from __future__ import annotations

import numpy as np

from animeid.data.samplers.wrapped import WrappedSampler
from animeid.terms import UNKNOWN_STYLE
from animeid.types import Sampler

STREAM = 1
"""Keeps these random numbers apart from those of the sampler, which come from seed and epoch too."""


class StyleViews(WrappedSampler):
    """Another sampler's stream, each draw followed by pictures of its class that are not of its style.

    Any of them is as likely. A picture of unknown style, or whose class has no other, is repeated instead. Classes are
    shown as often as by the sampler. `ShardedStream` and `TrainingBatches` keep what belongs together in one batch.

    Args:
        sampler: whose draws stand first.
        views: pictures in all for each draw.
        rows: `[N]` int64 manifest rows of the training part.
        targets, styles: `[N]` int64, of each of these rows.
    """

    def __init__(
        self, sampler: Sampler, views: int, *, rows: np.ndarray, targets: np.ndarray, styles: np.ndarray
    ) -> None:
        super().__init__(sampler)
        self.views = views
        order = np.argsort(rows)
        self.rows = rows[order]
        cells, self.cells = np.unique(np.stack([targets, styles], axis=1)[order], axis=0, return_inverse=True)
        partners = [
            rows[(targets == target) & (styles != style) & (styles != UNKNOWN_STYLE)]
            if style != UNKNOWN_STYLE
            else rows[:0]
            for target, style in cells
        ]
        self.partners = np.concatenate(partners)
        self.sizes = np.array([len(own) for own in partners])
        self.starts = np.cumsum(self.sizes) - self.sizes

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N views]` int64 manifest rows in the order of their draws."""
        random = np.random.default_rng(np.random.SeedSequence([seed, epoch], spawn_key=(STREAM,)))
        drawn = self.sampler.stream(seed, epoch)
        shown = np.repeat(drawn[:, None], self.views, axis=1)
        cells = self.cells[np.searchsorted(self.rows, drawn)]
        has = self.sizes[cells] > 0
        sizes, starts = (values[cells[has], None] for values in (self.sizes, self.starts))
        places = (random.random((len(drawn), self.views - 1))[has] * sizes).astype(np.int64)
        shown[has, 1:] = self.partners[starts + places]
        return shown.ravel()
