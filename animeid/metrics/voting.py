"""Several models' probabilities become one answer. Shape letters: M models, N pictures, C classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mean_probability(probabilities: np.ndarray, weights: Sequence[float] | None = None) -> np.ndarray:
    """`[N, C]`: the mean over the models of `[M, N, C]`, weighted if weights `[M]` above 0 are given."""
    return np.average(probabilities, axis=0, weights=weights)


def majority(probabilities: np.ndarray) -> np.ndarray:
    """`[N, C]`: the share of the models that name each class, of `[M, N, C]`.

    The mean probability counts as one model's vote that is split: among classes with equally many votes it decides,
    and it never outweighs a vote.
    """
    models, _, classes = probabilities.shape
    votes = (probabilities.argmax(2)[..., None] == np.arange(classes)).sum(0)
    return (votes + mean_probability(probabilities)) / (models + 1)
