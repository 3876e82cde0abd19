"""Screening of thumbnails: bounds on their similarity by one matrix product for many pairs at once.

Every bound is computed on pictures of an eighth of the numbers, and holds for the whole ones: what is screened out
cannot be the same drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animeid.data.duplicates.similarity import SAME_PICTURE, SAME_SHAPES, colours_of

COARSE = 16
"""Side of the coarse pictures."""

SLACK = 2e-3
"""More than float32 can be wrong by."""


@dataclass(frozen=True)
class Sketches:
    """Of N pictures `[S, S, 3]`, in levels of 0 to 255.

    coarse: `[N, 3, COARSE, COARSE]` float32, means of blocks about the mean of the channel, scaled so that their
    squares add up to the variance that they explain. rest: `[N, 3]`, root of the variance that they do not.
    variance: `[N, 3]`, squares about the channel's mean, summed over the picture.
    """

    coarse: np.ndarray
    rest: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, pictures: np.ndarray) -> Sketches:
        pixels = pictures.astype(np.float32)
        pixels -= pixels.mean(axis=(1, 2), keepdims=True)
        variance = np.einsum("nyxc,nyxc->nc", pixels, pixels)
        coarse = np.ascontiguousarray(_blocks(pixels).transpose(0, 3, 1, 2))
        rest = variance - np.einsum("ncyx,ncyx->nc", coarse, coarse)
        return cls(coarse, np.sqrt(np.maximum(rest, 0)), variance)

    def followed_by(self, others: Sketches) -> Sketches:
        return Sketches(
            np.concatenate([self.coarse, others.coarse]),
            np.concatenate([self.rest, others.rest]),
            np.concatenate([self.variance, others.variance]),
        )

    def take(self, rows: np.ndarray) -> Sketches:
        return Sketches(self.coarse[rows], self.rest[rows], self.variance[rows])


def may_be_same(pictures: np.ndarray, sketches: Sketches, others: Sketches) -> np.ndarray:
    """`[N, M]` bool: False where `same_drawings` cannot hold, be it mirrored.

    Args:
        pictures: `[N, S, S, 3]` uint8, with their sketches.
        others: of M pictures.
    """
    bases = [_basis(picture) for picture in pictures]
    found = np.zeros((len(pictures), len(others.rest)), dtype=bool)
    for coarse in (others.coarse, others.coarse[..., ::-1]):
        view = Sketches(np.ascontiguousarray(coarse), others.rest, others.variance)
        found |= _linear(sketches, view) >= SAME_PICTURE - SLACK
        found |= _unexplained(bases, view) <= (1 - SAME_SHAPES + SLACK) * view.variance.sum(axis=1)
    return found


def _linear(sketches: Sketches, others: Sketches) -> np.ndarray:
    """`[N, M]`: at least `linear_similarity`, since by Cauchy and Schwarz the rest adds at most its roots' product."""
    shares = np.zeros((2, len(sketches.rest), len(others.rest)), dtype=np.float32)
    for channel in range(3):
        ours = sketches.coarse[:, channel].reshape(-1, COARSE * COARSE)
        theirs = others.coarse[:, channel].reshape(-1, COARSE * COARSE)
        together = ours @ theirs.T + sketches.rest[:, channel, None] * others.rest[None, :, channel]
        together = np.maximum(together, 0) ** 2
        shares[0] += together / np.maximum(sketches.variance[:, channel, None], 1e-6)
        shares[1] += together / np.maximum(others.variance[None, :, channel], 1e-6)
    ours_in_all, theirs_in_all = sketches.variance.sum(axis=1)[:, None], others.variance.sum(axis=1)[None]
    explains = np.where(theirs_in_all > 1e-6, shares[0] / np.maximum(theirs_in_all, 1e-6), 1)
    explained = np.where(ours_in_all > 1e-6, shares[1] / np.maximum(ours_in_all, 1e-6), 1)
    return np.minimum(explains, explained)


def _unexplained(bases: list[np.ndarray], others: Sketches) -> np.ndarray:
    """`[N, M]`: at most the variance of each other picture that one's colours do not explain.

    A projection onto coarse pictures makes no distance longer, that of a picture from the span of the colours' places
    neither.
    """
    flat = others.coarse.reshape(len(others.rest), 3, COARSE * COARSE)
    total = np.einsum("ncp,ncp->n", flat, flat)
    columns = flat.transpose(2, 1, 0).reshape(COARSE * COARSE, -1)
    along = np.concatenate(bases, axis=1).T @ columns
    squares = np.einsum("bcn,bcn->bn", *(2 * [along.reshape(len(along), 3, -1)]))
    starts = np.cumsum([0, *(basis.shape[1] for basis in bases[:-1])])
    return total[None] - np.add.reduceat(squares, starts, axis=0)


def _basis(picture: np.ndarray) -> np.ndarray:
    """`[COARSE * COARSE, B]` float32: an orthonormal basis of the coarse pictures of its colours' places."""
    colours = colours_of(picture)
    used, numbers = np.unique(colours, return_inverse=True)
    places = np.zeros((colours.size, len(used)), dtype=np.float32)
    places[np.arange(colours.size), numbers] = 1
    coarse = _blocks(places.reshape(1, *picture.shape[:2], len(used)))[0]
    return np.linalg.qr(coarse.reshape(COARSE * COARSE, len(used)))[0]


def _blocks(pictures: np.ndarray) -> np.ndarray:
    """`[N, COARSE, COARSE, K]` of `[N, S, S, K]`: sums of blocks over the root of their pixels."""
    count, side, _, depth = pictures.shape
    block = side // COARSE
    return pictures.reshape(count, COARSE, block, COARSE, block, depth).sum(axis=(2, 4)) / block
