"""Worst predictions of a split."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from animeid.predictions import row_blocks
from animeid.terms import UNKNOWN_TARGET

WORST_SHOWN = 24


def worst_first(logits: np.ndarray, targets: np.ndarray, count: int = WORST_SHOWN) -> np.ndarray:
    """`[K]` int64: the positions of the pictures to whose class the model gave the least probability, least first.

    Args:
        logits: `[N, C]`, which are read a block at a time.
        targets: `[N]` int; pictures of no class (-1) are left out.
        count: how many at most.
    """
    known = np.flatnonzero(targets != UNKNOWN_TARGET)
    of_truth = np.empty(len(known), logits.dtype)
    for block in row_blocks(len(known), 8 * logits.shape[1]):
        chosen = known[block]
        shares = log_softmax(np.asarray(logits[chosen]), axis=1)
        of_truth[block] = np.take_along_axis(shares, targets[chosen, None], axis=1)[:, 0]
    return known[np.argsort(of_truth, kind="stable")[:count]]
