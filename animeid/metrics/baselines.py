"""Trivial predictors: a model that does not beat them has learnt nothing."""

from __future__ import annotations

import numpy as np

from animeid.terms import UNKNOWN_TARGET

BLOCK_ENTRIES = 16_000_000


def majority(train_targets: np.ndarray, pictures: int) -> np.ndarray:
    """`[pictures]` int64: the class with the most training pictures (`train_targets` `[M]`), the first of equals."""
    known = train_targets[train_targets != UNKNOWN_TARGET]
    return np.full(pictures, np.bincount(known).argmax(), dtype=np.int64)


def nearest_histogram(train_features: np.ndarray, train_targets: np.ndarray, features: np.ndarray) -> np.ndarray:
    """`[N]` int64: the class of the training picture with the most similar histogram, the first of equals.

    Similarity is the Bhattacharyya coefficient, the sum of sqrt(p * q) (Bhattacharyya 1943): a matrix product, and so
    some fifty times faster than sums of absolute differences.

    Args:
        train_features: `[M, K]` histograms, each summing to 1.
        train_targets: `[M]`.
        features: `[N, K]` histograms of the pictures to be named.
    """
    known = train_targets != UNKNOWN_TARGET
    roots, targets = np.sqrt(train_features[known]), train_targets[known].astype(np.int64)
    step = max(1, BLOCK_ENTRIES // len(roots))
    blocks = [
        (np.sqrt(features[start : start + step]) @ roots.T).argmax(axis=1) for start in range(0, len(features), step)
    ]
    return targets[np.concatenate(blocks)]
