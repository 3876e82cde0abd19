"""Classes that are taken for one another, from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.sparse import csr_array, triu
from scipy.spatial.distance import squareform

from animeid.system.console import some_of

WHOLE_UP_TO = 300
"""Classes up to which a matrix holds them all."""

CONFUSED_SHOWN = 60
PAIRS_NAMED = 5
LEAST_ERRORS, LEAST_OF_PAIR = 10, 3
ONE_SIDED = 3
"""So many times as many errors of one kind as of the other are no chance to speak of."""


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


def most_confused(counts: csr_array, limit: int) -> list[Pair]:
    """The pairs with the most confusions in both directions together, the most first."""
    both = csr_array(triu(counts + counts.T, 1))
    both.sort_indices()
    pairs = both.tocoo()
    found = np.argsort(-pairs.data, kind="stable")[:limit]
    first, second = pairs.row[found], pairs.col[found]
    forth, back = counts[first, second], counts[second, first]
    return [Pair(*map(int, one)) for one in zip(first, second, forth, back, strict=True) if one[2] + one[3]]


def shown_classes(counts: csr_array) -> np.ndarray:
    """`[K]`: the classes of a matrix that can be read, similar ones side by side.

    All of them up to `WHOLE_UP_TO`; of more, those of the most confused pairs, or the largest where few are confused.
    """
    if counts.shape[0] <= WHOLE_UP_TO:
        return similar_order(counts.toarray())
    pairs = most_confused(counts, CONFUSED_SHOWN)
    largest = np.argsort(-counts.sum(axis=1), kind="stable")
    ranked = dict.fromkeys([*(place for pair in pairs for place in (pair.first, pair.second)), *largest.tolist()])
    chosen = np.array(list(ranked)[:CONFUSED_SHOWN])
    return chosen[similar_order(counts[chosen][:, chosen].toarray())]


def most_errors(counts: csr_array, labels: Sequence[str]) -> str | None:
    """A sentence where few pairs of classes make many of the errors; of two classes, where one takes the other's."""
    errors = int(counts.sum() - counts.diagonal().sum())
    pairs = [pair for pair in most_confused(counts, PAIRS_NAMED) if pair.forth + pair.back >= LEAST_OF_PAIR]
    if errors < LEAST_ERRORS or not pairs:
        return None
    if len(labels) == 2:
        return _one_sided(pairs[0], labels)
    share = sum(pair.forth + pair.back for pair in pairs) / errors
    listed = some_of([f"{labels[p.first]} and {labels[p.second]} ({p.forth + p.back})" for p in pairs], PAIRS_NAMED)
    most = "The most confused pair of classes makes" if len(pairs) == 1 else f"{len(pairs)} pairs of classes make"
    return (
        f"{most} {100 * share:.0f} % of the {errors:,} errors: {listed}. Look at their pictures side by side below: "
        "more pictures that show the difference help, and classes that cannot be told apart are better one."
    )


def _one_sided(pair: Pair, labels: Sequence[str]) -> str | None:
    forth, back = pair.forth, pair.back
    often, other = (pair.first, pair.second) if forth >= back else (pair.second, pair.first)
    if max(forth, back) < ONE_SIDED * max(min(forth, back), 1):
        return None
    return (
        f"{max(forth, back)} of the {forth + back} errors take {labels[often]} for {labels[other]}: more pictures of "
        f"{labels[often]} that look like {labels[other]} help most."
    )
