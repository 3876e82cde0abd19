"""Distances of embeddings to the nearest class mean.

That of Mensink et al. (2013), "Distance-based image classification", TPAMI 35(11), of directions: the Mahalanobis
distance of Lee et al. (2018, NeurIPS) and the Frechet distance of Heusel et al. (2017, NeurIPS) need a covariance of
`D * D` numbers, which some hundreds of pictures do not determine and an artefact would not like to carry.
"""

from __future__ import annotations

import numpy as np

from animeid.predictions import row_blocks
from animeid.retrieval.neighbours import cosines_to, normalised

FEWEST = 5
"""A class with so many pictures has a mean; of fewer, one without one of them lies elsewhere than that of all."""


def class_means(embeddings: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """`[M, D]` float32: the mean direction of each class that has `FEWEST` pictures, in the order of the classes.

    Args:
        embeddings: `[N, D]`.
        targets: `[N]`; those below 0 are of no class.
    """
    directions, places, counts = _summed(embeddings, targets)
    sums = np.zeros((len(counts), directions.shape[1]), np.float32)
    np.add.at(sums, places[places >= 0], directions[places >= 0])
    return sums / counts[:, None]


def nearest_distance(embedding: np.ndarray, directions: np.ndarray) -> float:
    """1 less the cosine of an embedding `[D]` to the nearest of means `[M, D]` of length 1; from 0 to 2."""
    return float(1 - cosines_to(embedding, directions).max())


def held_out_distances(embeddings: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """`[N]` float32: the same to `class_means` of these pictures, but each is left out of its own class's mean.

    A picture pulls its class's mean to itself; one that comes later does not, and would seem further away than all of
    these.
    """
    directions, places, counts = _summed(embeddings, targets)
    means = class_means(embeddings, targets)
    bank = normalised(means)
    found = np.empty(len(directions), np.float32)
    for rows in row_blocks(len(directions), 4 * len(means)):
        own, places_here = directions[rows], places[rows]
        cosines = own @ bank.T
        held = np.flatnonzero(places_here >= 0)
        at = places_here[held]
        without = normalised(means[at] * counts[at, None] - own[held])
        cosines[held, at] = (without * own[held]).sum(1)
        found[rows] = cosines.max(1)
    return 1 - found.clip(-1, 1)


def _summed(embeddings: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions `[N, D]`; the place of each one's class among those with a mean, or -1; and their pictures `[M]`."""
    known = targets >= 0
    counts = np.bincount(targets[known])
    with_mean = np.flatnonzero(counts >= FEWEST)
    place_of = np.full(len(counts) + 1, -1, np.int64)
    place_of[with_mean] = np.arange(len(with_mean))
    places = np.where(known, place_of[np.where(known, targets, len(counts))], -1)
    return normalised(np.asarray(embeddings)), places, counts[with_mean]
