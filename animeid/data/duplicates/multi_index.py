"""Index of hashes by their substrings: all pairs within some bits, without comparing each with each.

Multi-index hashing (Norouzi, Punjani and Fleet 2012, "Fast search in Hamming space with multi-index hashing"): cut into
13 substrings, two hashes of 256 bits that differ in 24 or fewer agree in one of them but for one bit at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from animeid.data.duplicates.hashing import HASH_BYTES, bits_apart

RADIUS = 24
"""Bits: what the 13 substrings are enough for, 2 * 13 being more."""

SUBSTRINGS = 13

EACH_WITH_EACH = 2**13
"""Up to so many hashes are compared each with each, which is quicker then."""

WORK = 2**32
"""Candidates at most; where there were more, those in crowded places are left out."""

CHUNK = 2**21

BLOCK = 256

BITS = np.array_split(np.random.default_rng(0).permutation(8 * HASH_BYTES), SUBSTRINGS)
"""Of each substring: mixed, since neighbouring frequencies go together, and would crowd a substring of their own."""


@dataclass(frozen=True)
class Near:
    """Pairs: row of the query, row of the index, and bits apart, `[P]` each."""

    query: np.ndarray
    row: np.ndarray
    bits: np.ndarray


class MultiIndex:
    """Search for queries, or their mirrors, within RADIUS bits of hashes, a substring after the other.

    Args:
        hashes: `[N, HASH_BYTES]` uint8, what is searched.
        queries, mirrored: `[Q, HASH_BYTES]` uint8.
        work: how many candidates may be compared, about.

    Attributes:
        steps: of the search; each is given to `near` once.
        cut: `[Q]` bool, queries that some candidates were left out of.
    """

    def __init__(self, hashes: np.ndarray, queries: np.ndarray, mirrored: np.ndarray, work: int = WORK) -> None:
        self.hashes, self.queries, self.mirrored = hashes, queries, mirrored
        self.cut = np.zeros(len(queries), dtype=bool)
        self.steps: range = range(1)
        if len(hashes) > EACH_WITH_EACH:
            self.steps = range(SUBSTRINGS)
            self.crowd = self._largest_crowd(work)

    def near(self, step: int) -> Iterator[Near]:
        """Pairs that a step finds, in blocks; a pair may come more than once."""
        if len(self.steps) == 1:
            yield from self._each_with_each()
            return
        bits = BITS[step]
        keys = _keys(self.hashes, bits)
        order = np.argsort(keys, kind="stable")
        ordered = self.hashes.view(np.uint64)[order]
        bounds = np.searchsorted(keys[order], np.arange(2 ** len(bits) + 1, dtype=np.uint32))
        for view in (self.queries, self.mirrored):
            own = _keys(view, bits)
            # In the order of the keys, so that what is compared lies together in memory.
            queries = np.argsort(own, kind="stable")
            words, own = view.view(np.uint64)[queries], own[queries]
            for flip in (0, *(1 << place for place in range(len(bits)))):
                first, last = bounds[own ^ np.uint32(flip)], bounds[(own ^ np.uint32(flip)) + 1]
                count = np.minimum(last - first, self.crowd)
                self.cut[queries[count < last - first]] = True
                for near in _compared(words, ordered, first, count):
                    yield Near(queries[near.query], order[near.row], near.bits)

    def _each_with_each(self) -> Iterator[Near]:
        for start in range(0, len(self.queries), BLOCK):
            block = slice(start, start + BLOCK)
            apart = bits_apart(self.queries[block], self.mirrored[block], self.hashes)
            query, row = np.nonzero(apart <= RADIUS)
            yield Near(query + start, row, apart[query, row])

    def _largest_crowd(self, work: int) -> int:
        """How many hashes of one key may be candidates of a query: as many as the work allows, at least 8."""
        sizes = np.concatenate([np.unique(_keys(self.hashes, bits), return_counts=True)[1] for bits in BITS])
        share = len(self.queries) / len(self.hashes)
        crowd = 2**20
        # A query looks at its key and at every key that is one bit away, and so does its mirror.
        while crowd > 8 and 42 * share * (sizes * np.minimum(sizes, crowd).astype(np.float64)).sum() > work:
            crowd //= 2
        return crowd


def _compared(words: np.ndarray, others: np.ndarray, first: np.ndarray, count: np.ndarray) -> Iterator[Near]:
    """Pairs within RADIUS bits of each query and its `count` candidates from `first` on."""
    ends = np.cumsum(count)
    start = 0
    while start < len(count):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + CHUNK, side="right")))
        some = count[start:stop]
        query = np.repeat(np.arange(start, stop), some)
        row = np.arange(len(query)) + np.repeat(first[start:stop] - (ends[start:stop] - some - before), some)
        bits = np.bitwise_count(words[query, 0] ^ others[row, 0])
        # Another picture's first word differs in 32 bits on the average, so that few are looked at further.
        near = np.flatnonzero(bits <= RADIUS)
        query, row = query[near], row[near]
        bits = np.bitwise_count(words[query] ^ others[row]).sum(axis=1, dtype=np.int64)
        near = np.flatnonzero(bits <= RADIUS)
        if len(near):
            yield Near(query[near], row[near], bits[near])
        start = stop


def _keys(hashes: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """`[N]` uint32: the substring of these bits."""
    keys = np.zeros(len(hashes), dtype=np.uint32)
    for place, bit in enumerate(bits.tolist()):
        keys |= ((hashes[:, bit // 8] >> (7 - bit % 8)) & 1).astype(np.uint32) << np.uint32(place)
    return keys
