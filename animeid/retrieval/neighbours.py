"""The nearest pictures of a picture, exactly."""

from __future__ import annotations

import numpy as np

from animeid.predictions import highest

BLOCK_ENTRIES = 16_000_000


def nearest(queries: np.ndarray, bank: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` rows of `bank` with the highest cosine similarity to each query, the most similar first.

    Every similarity is computed, a block of queries and of the bank at a time, so that a bank may lie in a file. Equal
    ones keep the order of the bank; a vector of zeros has similarity 0 to everything.

    Args:
        queries: `[Q, D]`.
        bank: `[N, D]`.
        k: how many.

    Returns:
        Indices `[Q, k]` int64 and similarities `[Q, k]` float32, between -1 and 1.

    Raises:
        ValueError: the bank holds fewer than `k`.
    """
    if not 1 <= k <= len(bank):
        raise ValueError(f"{k} neighbours cannot be had of a bank of {len(bank)}")
    step = max(1, BLOCK_ENTRIES // len(bank))
    indices = np.empty((len(queries), k), np.int64)
    similarities = np.empty((len(queries), k), np.float32)
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        cosines = _cosines(normalised(queries[block]), bank)
        indices[block] = highest(cosines, k)
        similarities[block] = np.take_along_axis(cosines, indices[block], axis=1)
    return indices, similarities


def cosines_to(vector: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """`[N]` similarities of one vector `[D]` to `[N, D]` of length 1, which whoever asks often keeps so."""
    return np.clip(directions @ normalised(vector[None])[0], -1, 1)


def _cosines(directions: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """`[Q, N]` similarities of `[Q, D]` vectors of length 1."""
    step = max(1, BLOCK_ENTRIES // max(bank.shape[1], 1))
    blocks = (bank[start : start + step] for start in range(0, len(bank), step))
    return np.clip(np.concatenate([directions @ normalised(block).T for block in blocks], axis=1), -1, 1)


def normalised(vectors: np.ndarray) -> np.ndarray:
    """`[N, D]` float32 of length 1, or 0 where the length is 0."""
    vectors = vectors.astype(np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
