"""Trivial predictors against naive versions."""

from __future__ import annotations

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from animeid.metrics import baselines
from animeid.metrics.baselines import majority, nearest_histogram


def test_majority_equals_sklearns_most_frequent() -> None:
    targets = np.array([2, 1, 1, 2, 0, -1, -1, -1])
    known = targets[targets >= 0]
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(known), 1)), known)
    np.testing.assert_array_equal(majority(targets, 4), dummy.predict(np.zeros((4, 1))))


def test_nearest_histogram_equals_sklearns_under_the_same_distance(monkeypatch) -> None:
    generator = np.random.default_rng(0)
    train = generator.dirichlet(np.full(64, 0.1), 90).astype(np.float32)
    features = generator.dirichlet(np.full(64, 0.1), 31).astype(np.float32)
    targets = generator.integers(7, size=90)
    # the Hellinger distance is the Euclidean one of square roots
    reference = KNeighborsClassifier(1).fit(np.sqrt(train), targets).predict(np.sqrt(features))
    np.testing.assert_array_equal(nearest_histogram(train, targets, features), reference)
    monkeypatch.setattr(baselines, "BLOCK_ENTRIES", 200)
    np.testing.assert_array_equal(nearest_histogram(train, targets, features), reference)


def test_pictures_of_no_class_are_no_neighbours() -> None:
    train, targets = np.eye(3, dtype=np.float32), np.array([-1, 4, 2])
    mixed = np.array([[0.8, 0.0, 0.2], [0.0, 1.0, 0.0]], dtype=np.float32)
    assert nearest_histogram(train, targets, mixed).tolist() == [2, 4]
