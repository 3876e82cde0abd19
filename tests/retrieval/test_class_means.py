"""Distances to class means, against scikit-learn's nearest centroid and against means without the picture."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_distances
from sklearn.neighbors import NearestCentroid

from animeid.retrieval.class_means import FEWEST, class_means, held_out_distances, nearest_distance


def some(pictures: int, seed: int = 0, classes: int = 6, size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings around a centre a class, and their classes."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(classes, size))
    targets = random.permutation(np.arange(pictures) % classes)
    lengths = random.uniform(0.5, 3, (pictures, 1))
    return (centres[targets] + random.normal(size=(pictures, size))) * lengths, targets


def test_means_and_distances_are_those_of_others() -> None:
    embeddings, targets = some(80)
    directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    means = class_means(embeddings, targets)
    np.testing.assert_allclose(means, NearestCentroid().fit(directions, targets).centroids_, atol=1e-6)
    others, _ = some(30, seed=1)
    expected = cosine_distances(others, means).min(1)
    directions = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose([nearest_distance(one, directions) for one in others], expected, atol=1e-6)


def test_held_out_distances_are_to_means_without_the_picture() -> None:
    embeddings, targets = some(50)
    targets[0], targets[1] = 7, -1  # the only one of its class, and one of none: neither makes a mean
    expected = []
    for place in range(len(targets)):
        rest = np.arange(len(targets)) != place
        kept = [target for target in range(6) if (targets == target).sum() >= FEWEST]
        unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        means = [unit[rest & (targets == target)].mean(0) for target in kept]
        expected.append(cosine_distances(embeddings[place : place + 1], means).min())
    np.testing.assert_allclose(held_out_distances(embeddings, targets), expected, atol=1e-6)
    assert len(class_means(embeddings, targets)) == 6


def test_pictures_that_come_later_are_as_far_away_as_those_held_out() -> None:
    """With few pictures a class, those that made the means are much nearer to them."""
    made, held, later = [], [], []
    for seed in range(20):
        embeddings, targets = some(30, seed)
        means = class_means(embeddings, targets)
        made.append(cosine_distances(embeddings, means).min(1).mean())
        held.append(held_out_distances(embeddings, targets).mean())
        later.append(cosine_distances(some(60, 1000 + seed)[0], means).min(1).mean())
    assert np.mean(held) == pytest.approx(np.mean(later), rel=0.05)
    assert np.mean(made) < 0.9 * np.mean(later)
