"""Classes that are taken for one another, from a confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform


@dataclass(frozen=True)
class Pair:
    """Two classes that are taken for one another: `forth` times the first for the second, `back` times the reverse."""

    first: int
    second: int
    forth: int
    back: int


def similar_order(counts: np.ndarray) -> np.ndarray:
    """`[C]`: an order of the classes in which those that are often confused stand side by side.

    Average linkage of one minus the symmetric share of confusions, with optimal leaf ordering (Bar-Joseph 2001).
    """
    if len(counts) < 3:
        return np.arange(len(counts))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    closeness = (shares + shares.T) / 2
    distance = 1 - closeness / max(closeness.max(), 1e-12)
    np.fill_diagonal(distance, 0)
    condensed = squareform(distance, checks=False)
    return leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed))


def most_confused(counts: np.ndarray, limit: int) -> list[Pair]:
    """The pairs with the most confusions in both directions together, the most first."""
    both = np.triu(counts + counts.T, 1)
    order = np.argsort(-both, axis=None, kind="stable")[:limit]
    pairs = [tuple(int(number) for number in np.unravel_index(place, both.shape)) for place in order]
    return [Pair(a, b, int(counts[a, b]), int(counts[b, a])) for a, b in pairs if both[a, b]]
