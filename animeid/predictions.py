"""Predictions of a model, and what follows from their logits; numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TOP_K = 5
BLOCK_BYTES = 2**25
"""Memory for what is looked at together of answers that lie in a file."""

CACHE_BYTES = 2**21
"""The same where little is done with each number: what a core's cache does not hold takes up to twice as long."""

PIECE = 64
"""Numbers of a long row that are first asked for their maximum alone."""


@dataclass(frozen=True)
class Predictions:
    """What a model said, in the order of the loader.

    rows: `[N]` int64 manifest rows. logits: `[N, C]` float32. embeddings: `[N, D]` float32; both may lie in files that
    are read as far as they are looked at. losses: `[N]` float32, NaN where the target is no class or no loss was asked
    for.
    """

    rows: np.ndarray
    logits: np.ndarray
    embeddings: np.ndarray
    losses: np.ndarray

    def at(self, places: Sequence[int] | np.ndarray | slice) -> Predictions:
        """Those at these places; of a slice, what lies in a file stays there."""
        chosen = places if isinstance(places, slice) else np.asarray(places, np.int64)
        return Predictions(**{name: values[chosen] for name, values in vars(self).items()})

    def blocks(self) -> Iterator[Predictions]:
        """All of them, some at a time."""
        return (self.at(block) for block in row_blocks(len(self.rows), _bytes_of_one(self)))


def concatenate(answers: Sequence[Predictions]) -> Predictions:
    """The answers one after the other."""
    return Predictions(**{name: np.concatenate([vars(a)[name] for a in answers]) for name in vars(answers[0])})


def join(answers: Sequence[Predictions]) -> Predictions:
    """The answers for different pictures, in the order of their rows."""
    whole = concatenate([answer for answer in answers if len(answer.rows)])
    return whole.at(np.argsort(whole.rows, kind="stable"))


def merge(shares: Sequence[Predictions]) -> Iterator[Predictions]:
    """As `join`, some at a time: no more than a block of them is in memory, wherever the shares lie."""
    shares = [share for share in shares if len(share.rows)]
    if not shares:
        return
    owner = np.repeat(np.arange(len(shares)), [len(share.rows) for share in shares])
    place = np.concatenate([np.arange(len(share.rows)) for share in shares])
    order = np.argsort(np.concatenate([share.rows for share in shares]), kind="stable")
    for block in row_blocks(len(order), _bytes_of_one(shares[0])):
        chosen = order[block]
        yield join([share.at(place[chosen[owner[chosen] == number]]) for number, share in enumerate(shares)])


def row_blocks(rows: int, row_bytes: int, most: int | None = None) -> Iterator[slice]:
    """Slices of so many rows, one after the other, each of at most `BLOCK_BYTES`, but of one row at least.

    Args:
        most: so many bytes instead, where they are fewer.
    """
    step = max(1, min(most or BLOCK_BYTES, BLOCK_BYTES) // max(row_bytes, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _bytes_of_one(answers: Predictions) -> int:
    return 4 * (answers.logits.shape[1] + answers.embeddings.shape[1])


def softmax(logits: np.ndarray) -> np.ndarray:
    """`[N, C]` probabilities of `[N, C]` logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def highest(values: np.ndarray, k: int) -> np.ndarray:
    """`[N, k]` int64: where the `k` highest of each row of `[N, M]` are, the highest first, the first of equals first.

    As a stable sort has it. Of long rows only pieces are looked at that hold one of the highest: a piece whose maximum
    is below those of `k` others, or equals them and stands behind them, holds none.
    """
    pieces = values.shape[1] // PIECE
    if pieces <= 2 * k:
        return _highest(values, k)
    parted = values[:, : pieces * PIECE].reshape(len(values), pieces, PIECE)
    most = parted.max(axis=2)
    chosen = np.sort(_highest(most, k), axis=1)
    rest = np.arange(pieces * PIECE, values.shape[1])
    places = (chosen[:, :, None] * PIECE + np.arange(PIECE)).reshape(len(values), k * PIECE)
    places = np.hstack([places, np.broadcast_to(rest, (len(values), len(rest)))])
    among = _highest(np.take_along_axis(values, places, axis=1), k)
    found = np.take_along_axis(places, among, axis=1)
    unclear = np.isnan(most).any(axis=1)  # the maximum of a piece with NaN is NaN
    found[unclear] = _highest(values[unclear], k)
    return found


def _highest(values: np.ndarray, k: int) -> np.ndarray:
    """`highest` of short rows: in time that does not grow with the logarithm of M."""
    lower = -values
    found = np.sort(np.argpartition(lower, k - 1, axis=1)[:, :k], axis=1)
    chosen = np.take_along_axis(lower, found, axis=1)
    # Of values that equal the lowest of them the partition took any, and NaN equals nothing.
    open_ = (lower <= chosen.max(axis=1, keepdims=True)).sum(axis=1) != k
    found = np.take_along_axis(found, np.argsort(chosen, axis=1, kind="stable"), axis=1)
    found[open_] = np.argsort(lower[open_], axis=1, kind="stable")[:, :k]
    return found


def top_k(logits: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` likeliest classes `[N, k]`, likeliest first, and their probabilities; equal logits keep class order."""
    k = min(k, logits.shape[1])
    order = np.empty((len(logits), k), np.int64)
    shares = np.empty((len(logits), k), logits.dtype)
    kept = np.empty((0, 0), logits.dtype)  # one memory for all blocks: to get it anew takes longer than to fill it
    for rows in row_blocks(len(logits), 8 * logits.shape[1], CACHE_BYTES):
        block = np.asarray(logits[rows])
        kept = kept[: len(block)] if len(kept) else np.empty_like(block)
        order[rows] = highest(block, k)
        np.exp(np.subtract(block, block.max(axis=1, keepdims=True), out=kept), out=kept)
        shares[rows] = np.take_along_axis(kept, order[rows], axis=1) / kept.sum(axis=1, keepdims=True)
    return order, shares


def top_names(logits: np.ndarray, labels: Sequence[str], k: int) -> list[list[dict[str, Any]]]:
    """The `k` likeliest names of each of `[N, C]` logits, likeliest first: `label` and `probability` each."""
    order, probabilities = top_k(logits, k)
    return [
        [{"label": labels[index], "probability": float(value)} for index, value in zip(*pair, strict=True)]
        for pair in zip(order, probabilities, strict=True)
    ]
