"""Worst predictions of a split."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from animeid.terms import UNKNOWN_TARGET

WORST_SHOWN = 24


def worst_first(logits: np.ndarray, targets: np.ndarray, count: int = WORST_SHOWN) -> np.ndarray:
    """`[K]` int64: the positions of the pictures to whose class the model gave the least probability, least first.

    Args:
        logits: `[N, C]`.
        targets: `[N]` int; pictures of no class (-1) are left out.
        count: how many at most.
    """
    known = np.flatnonzero(targets != UNKNOWN_TARGET)
    of_truth = np.take_along_axis(log_softmax(logits[known], axis=1), targets[known, None], axis=1)[:, 0]
    return known[np.argsort(of_truth, kind="stable")[:count]]
