"""Worst predictions of a split."""

from __future__ import annotations

import numpy as np

from animeid.metrics.sureness import Sureness
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
    surprise = Sureness.at(logits, targets, known)[0].surprise
    return known[np.argsort(-surprise, kind="stable")[:count]]
