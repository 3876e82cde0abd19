"""Base of samplers that reorder another's draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from animeid.data.samplers.contract import VariesByEpoch, begins_at, learns
from animeid.types import Sampler


class WrappedSampler:
    """The part of the sampler's contract in which the inner one answers.

    Args:
        sampler: whose draws are taken.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.learns = learns(sampler)
        self.begins_at = begins_at(sampler)
        # None has not the trait, as the inner one has not.
        self.prior_of: Callable[[int], np.ndarray] | None = None
        if isinstance(sampler, VariesByEpoch):
            self.prior_of = sampler.prior_of

    def prior(self) -> np.ndarray:
        return self.sampler.prior()

    def observe(self, rows: Tensor, values: Tensor) -> None:
        self.sampler.observe(rows, values)

    def state_dict(self) -> dict[str, Any]:
        return self.sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.sampler.load_state_dict(state)
