"""What samplers share that take another one's draws and give them another order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from animeid.types import Sampler


class WrappedSampler:
    """The part of the sampler's contract in which the inner one answers.

    Args:
        sampler: whose draws are taken.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.learns = getattr(sampler, "learns", False)
        self.begins_at = getattr(sampler, "begins_at", 0)
        self.prior_of: Callable[[int], np.ndarray] | None = getattr(sampler, "prior_of", None)

    def prior(self) -> np.ndarray:
        return self.sampler.prior()

    def observe(self, rows: Tensor, values: Tensor) -> None:
        self.sampler.observe(rows, values)

    def state_dict(self) -> dict[str, Any]:
        return self.sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.sampler.load_state_dict(state)
