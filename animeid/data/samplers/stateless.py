"""Base of samplers without state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from animeid.data.samplers.contract import Choice
from animeid.terms import UNKNOWN_TARGET


class Stateless:
    """The part of the sampler's contract that is empty when a stream depends on `(seed, epoch)` alone."""

    chooses: Choice = "classes"

    def observe(self, rows: Tensor, values: Tensor) -> None:
        """Takes nothing in."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores nothing."""


def class_counts(targets: np.ndarray, num_classes: int) -> np.ndarray:
    """`[C]` int64: pictures of each class among `targets [N]`; pictures of no class (-1) are not counted."""
    return np.bincount(targets[targets != UNKNOWN_TARGET], minlength=num_classes)
