"""Each drawn picture several times in a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from animeid.types import Sampler


class InViews:
    """Another sampler's stream with each draw repeated, so that a batch holds several views of a picture.

    Repetitions are other draws, and so are augmented differently. With several ranks, each of which takes every W-th
    draw, all views of a picture are one rank's.

    Args:
        sampler: whose draws are repeated.
        views: how often.
        ranks: W.
    """

    def __init__(self, sampler: Sampler, views: int, ranks: int) -> None:
        self.sampler, self.views, self.ranks = sampler, views, ranks
        self.learns = getattr(sampler, "learns", False)

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N views]` int64 manifest rows in the order of their draws."""
        rows = self.sampler.stream(seed, epoch)
        whole = len(rows) - len(rows) % self.ranks
        rounds = np.repeat(rows[:whole].reshape(-1, self.ranks), self.views, axis=0)
        return np.concatenate([rounds.ravel(), np.repeat(rows[whole:], self.views)])

    def prior(self) -> np.ndarray:
        return self.sampler.prior()

    def observe(self, rows: Tensor, values: Tensor) -> None:
        self.sampler.observe(rows, values)

    def state_dict(self) -> dict[str, Any]:
        return self.sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.sampler.load_state_dict(state)
