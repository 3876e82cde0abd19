"""Base of samplers that move between distributions."""

from __future__ import annotations

from typing import Literal

import numpy as np

from animeid.data.samplers.stateless import Stateless


class Planned(Stateless):
    """A sampler whose epochs differ as was settled beforehand.

    Args:
        epochs: how many the way takes; `auto` is all epochs of the run, and filled in by the plan.
    """

    def __init__(self, epochs: int | Literal["auto"]) -> None:
        if epochs == "auto":
            raise ValueError("epochs=auto has not been filled in")
        self.epochs = epochs

    def prior_of(self, epoch: int) -> np.ndarray:
        """`[C]` float64: the class distribution of an epoch's draws; 0 for a class without pictures."""
        raise NotImplementedError
