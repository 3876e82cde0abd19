"""Near pairs between labels: found by their hashes, confirmed by their pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from animeid.data.duplicates.fingerprints import Fingerprints
from animeid.data.duplicates.hashing import pairs_apart
from animeid.data.duplicates.limits import Limits
from animeid.data.duplicates.multi_index import RADIUS, MultiIndex
from animeid.data.duplicates.similarity import is_same_picture
from animeid.system.progress import progress

TOGETHER = 2**12
"""Pairs that are given to the threads at a time."""

HELD = 2**22
"""Pairs that are held before all but the nearest of each picture are let go."""


@dataclass(frozen=True)
class Between:
    """pairs: `[P, 2]` rows, the smaller first, that show the same picture. cut: queries not wholly looked at."""

    pairs: np.ndarray
    cut: set[int]


def same_between(
    prints: Fingerprints, numbers: np.ndarray, queries: np.ndarray, others: np.ndarray, within: Limits, pool: Executor
) -> Between:
    """Which of the others shows the picture of a query under another label; hashes within RADIUS bits are candidates.

    Args:
        numbers: `[N]` int64 of all prints, equal where labels are.
        queries, others: rows. A pair of two queries is looked at once, from the smaller row.
        within: at most so many candidates, the nearest ones.
        pool: threads for the confirmation.
    """
    near, cut = _candidates(prints, numbers, queries, others, within.between)
    nearest = near[np.argsort(near[:, 1], kind="stable")]
    candidates = np.sort(nearest[: within.pairs, [0, 2]], axis=1)
    cut |= set(nearest[within.pairs :, 0].tolist())

    def agrees(pair: np.ndarray) -> bool:
        return is_same_picture(*prints.thumbnails[pair])

    def verdicts() -> Iterator[bool]:
        for start in range(0, len(candidates), TOGETHER):
            yield from pool.map(agrees, candidates[start : start + TOGETHER])

    told = progress(verdicts(), len(candidates), "comparing pictures of different classes")
    same = np.fromiter(told, dtype=bool, count=len(candidates))
    return Between(candidates[same], cut)


def _candidates(
    prints: Fingerprints, numbers: np.ndarray, queries: np.ndarray, others: np.ndarray, most: int
) -> tuple[np.ndarray, set[int]]:
    """`[P, 3]` query, bits apart and row of its nearest others; and the queries that had more."""
    index = MultiIndex(prints.hashes[others], prints.hashes[queries], prints.mirrored[queries])
    is_query = np.zeros(len(numbers), dtype=bool)
    is_query[queries] = True
    held, crowded = [np.zeros((0, 3), dtype=np.int64)], np.zeros(0, dtype=np.int64)
    count = 0
    for step in progress(index.steps, len(index.steps), "looking for equal pictures of different classes"):
        for near in index.near(step):
            query, row = queries[near.query], others[near.row]
            wanted = (numbers[query] != numbers[row]) & ((query < row) | ~is_query[row])
            query, row = query[wanted], row[wanted]
            bits = pairs_apart(prints.hashes, prints.mirrored, query, row)
            is_near = bits <= RADIUS
            held.append(np.stack([query, bits, row], axis=1)[is_near])
            count += len(held[-1])
            if count > HELD:
                kept, more = _nearest(held, most)
                held, count, crowded = [kept], len(kept) // 2, np.union1d(crowded, more)
    kept, more = _nearest(held, most)
    crowded = np.union1d(np.union1d(crowded, more), queries[index.cut])
    return kept, set(crowded.tolist())


def _nearest(held: Iterable[np.ndarray], most: int) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of each query's candidates, `[P, 3]` query, bits, other, ordered so; and queries that had more."""
    pairs = np.unique(np.concatenate(list(held)), axis=0)
    # The same pair may have come as it is and mirrored: the nearer one counts.
    by_pair = np.lexsort((pairs[:, 1], pairs[:, 2], pairs[:, 0]))
    pairs = pairs[by_pair]
    is_first = np.ones(len(pairs), dtype=bool)
    is_first[1:] = (pairs[1:, [0, 2]] != pairs[:-1, [0, 2]]).any(axis=1)
    pairs = pairs[is_first]
    pairs = pairs[np.lexsort((pairs[:, 2], pairs[:, 1], pairs[:, 0]))]
    queries, starts, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    place = np.arange(len(pairs)) - np.repeat(starts, counts)
    return pairs[place < most], queries[counts > most]
