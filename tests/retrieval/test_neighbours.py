"""Nearest neighbours against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from animeid.retrieval import neighbours as module
from animeid.retrieval.neighbours import cosines_to, nearest, normalised


def vectors(number: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(number, 16)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 300])
@pytest.mark.parametrize("block", [16_000_000, 1000])
def test_neighbours_equal_sklearns(k: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ENTRIES", block)
    queries, bank = vectors(41, 0), vectors(300, 1)
    indices, similarities = nearest(queries, bank, k)
    distances, reference = (
        NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(bank).kneighbors(queries)
    )
    np.testing.assert_array_equal(indices, reference)
    np.testing.assert_allclose(similarities, 1 - distances, atol=1e-5)
    assert (indices.dtype, similarities.dtype) == (np.int64, np.float32)


def test_lengths_play_no_part_and_equal_ones_keep_the_order_of_the_bank() -> None:
    bank = np.array([[0, 1], [2, 0], [5, 0], [-1, 0], [0.5, 0]])
    indices, similarities = nearest(np.array([[3.0, 0.0]]), bank, 5)
    assert indices.tolist() == [[1, 2, 4, 0, 3]]
    assert similarities.tolist() == [[1, 1, 1, 0, -1]]


def test_a_picture_is_no_more_than_equal_to_itself() -> None:
    bank = vectors(300, 1)
    indices, similarities = nearest(bank, bank, 1)
    assert indices[:, 0].tolist() == list(range(300))
    assert similarities.max() <= 1


def test_zeros_are_like_nothing() -> None:
    assert nearest(np.zeros((1, 2)), np.eye(2), 2)[1].tolist() == [[0, 0]]


def test_no_queries_have_no_neighbours() -> None:
    indices, similarities = nearest(np.zeros((0, 16)), vectors(3, 0), 2)
    assert indices.shape == similarities.shape == (0, 2)


@pytest.mark.parametrize("k", [0, 4])
def test_a_bank_has_only_so_many(k: int) -> None:
    with pytest.raises(ValueError, match="of a bank of 3"):
        nearest(vectors(1, 0), vectors(3, 0), k)


def test_one_vector_is_as_near_as_among_several() -> None:
    query, bank = vectors(1, 2), np.concatenate([vectors(40, 3), np.zeros((1, 16), np.float32)])
    indices, similarities = nearest(query, bank, len(bank))
    found = cosines_to(query[0], normalised(bank))
    np.testing.assert_allclose(found[indices[0]], similarities[0], atol=1e-6)
