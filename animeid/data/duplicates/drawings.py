"""Which pictures of a block show the same drawing, be it in other colours: each of some with each of others at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from animeid.data.duplicates.similarity import FLAT, LEVELS, SAME_INSIDE, SAME_PICTURE, SAME_SHAPES, colours_of


@dataclass(frozen=True)
class Colours:
    """B colours of N pictures, one picture after the other.

    places: `[Q]` int32, the pixels of each colour, but for those of each picture's commonest one: mostly it is the
    ground, and its sums are what the others leave of the whole. sizes: `[B]`, how many pixels each colour has.
    commonest: `[N]`, which of the colours are the commonest. starts: `[N]`, the first colour of each picture.
    """

    places: np.ndarray
    sizes: np.ndarray
    commonest: np.ndarray
    starts: np.ndarray

    @property
    def ground_sizes(self) -> np.ndarray:
        """`[N]`, how many pixels the commonest colour of each picture has."""
        return self.sizes[self.commonest]

    def ground(self, size: int, mirror: bool) -> np.ndarray:
        """`[N, S * S]` float32: 1 where a picture, or its mirror, has its commonest colour, else 0."""
        listed = np.add.reduceat(self._listed, self.starts)
        ground = np.ones((len(self.starts), size), dtype=np.float32)
        places = _mirrored(size)[self.places] if mirror else self.places
        ground[np.repeat(np.arange(len(listed)), listed), places] = 0
        return ground

    @property
    def _listed(self) -> np.ndarray:
        """`[B]`, how many places each colour has: none where it is its picture's commonest."""
        listed = self.sizes.copy()
        listed[self.commonest] = 0
        return listed

    def sums(self, columns: np.ndarray, mirror: bool) -> np.ndarray:
        """`[B, C]` float32: sums of `[S * S, C]` over the pixels of each colour, or of its mirror."""
        places = _mirrored(len(columns))[self.places] if mirror else self.places
        ends = np.cumsum(np.concatenate([[0], self._listed]), dtype=np.int32)
        # A sparse product: a picture has dozens of colours, and each pixel has one.
        ones = np.ones(len(places), dtype=np.float32)
        sums = csr_matrix((ones, places, ends), shape=(len(self.sizes), len(columns))) @ columns
        sums[self.commonest] = columns.sum(axis=0) - np.add.reduceat(sums, self.starts)
        return sums


@dataclass(frozen=True)
class Drawings:
    """Thumbnails that are ready to be compared.

    pictures: `[N, S, S, 3]` uint8.
    """

    pictures: np.ndarray

    @cached_property
    def pixels(self) -> np.ndarray:
        """`[S * S, 3, N]` float32 about the middle grey: whole numbers, of which sums over a picture are exact."""
        flat = self.pictures.reshape(len(self.pictures), -1, 3)
        return np.ascontiguousarray(flat.transpose(1, 2, 0)).astype(np.float32) - np.float32(128)

    @cached_property
    def squares(self) -> np.ndarray:
        """`[S * S, N]` float32: of each pixel, summed over its channels; whole numbers."""
        return np.square(self.pixels).sum(axis=1)

    @cached_property
    def means(self) -> np.ndarray:
        """`[3, N]` float64, of `pixels`."""
        return self.pixels.sum(axis=0).astype(np.float64) / len(self.pixels)

    @cached_property
    def centred(self) -> np.ndarray:
        """`[S * S, 3, N]` float32, `pixels` about the channel's mean: exactly 0 in a picture of one colour."""
        return self.pixels - self.means.astype(np.float32)

    @cached_property
    def variance(self) -> np.ndarray:
        """`[3, N]` float64: squares about the channel's mean, summed over the picture."""
        squares = (self.pictures.astype(np.int64).reshape(len(self.pictures), -1, 3) - 128) ** 2
        return squares.sum(axis=1).T - self.means**2 * len(self.pixels)

    @cached_property
    def colours(self) -> Colours:
        count, shades = len(self.pictures), LEVELS**3
        numbers = colours_of(self.pictures)
        order = np.argsort(numbers.astype(np.uint8), axis=1, kind="stable").astype(np.int32)
        places = numbers + shades * np.arange(count)[:, None]
        sizes = np.bincount(places.ravel(), minlength=shades * count).reshape(count, shades)
        used = sizes > 0
        commonest = np.zeros_like(used)
        commonest[np.arange(count), sizes.argmax(axis=1)] = True
        is_listed = np.repeat(~commonest.ravel(), sizes.ravel())
        starts = np.cumsum(used.sum(axis=1)) - used.sum(axis=1)
        return Colours(order.ravel()[is_listed], sizes[used], np.flatnonzero(commonest[used]), starts)


def same_drawings(ours: Drawings, theirs: Drawings) -> np.ndarray:
    """`[N, M]` bool: which of N and M pictures agree as they are or mirrored, be it in other colours."""
    found = np.maximum(linear(ours, theirs), linear(ours, theirs, mirror=True)) >= SAME_PICTURE
    for mirror in (False, True):
        shapes = _explain(ours, theirs, mirror)
        if (shapes & ~found).any():
            found |= shapes & _explain(theirs, ours, mirror).T
    return found


def _explain(ours: Drawings, theirs: Drawings, mirror: bool) -> np.ndarray:
    """`[N, M]` bool: whether our colours explain their picture, and what it holds beside the ground as well."""
    whole, inside = explained(ours, theirs, mirror)
    return (whole >= SAME_SHAPES) & (inside >= SAME_INSIDE)


def linear(ours: Drawings, theirs: Drawings, mirror: bool = False) -> np.ndarray:
    """`[N, M]`: `linear_similarity` of each of our pictures, or its mirror, with each of theirs."""
    shares = np.zeros((2, len(ours.pictures), len(theirs.pictures)))
    pixels = ours.centred[_mirrored(len(ours.centred))] if mirror else ours.centred
    for channel in range(3):
        together = np.maximum(pixels[:, channel].T @ theirs.centred[:, channel], 0).astype(np.float64) ** 2
        shares[0] += together / np.maximum(ours.variance[channel], FLAT)[:, None]
        shares[1] += together / np.maximum(theirs.variance[channel], FLAT)
    totals = theirs.variance.sum(axis=0)[None], ours.variance.sum(axis=0)[:, None]
    return np.minimum(*(_share(held, total) for held, total in zip(shares, totals, strict=True)))


def explained(ours: Drawings, theirs: Drawings, mirror: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """How much of the variance of each of their pictures the colours of each of ours, or of its mirror, explain.

    This is the correlation ratio (Roche 1998, "The correlation ratio as a new similarity measure for multimodal image
    registration"). A copy with other brightness, contrast, tint or palette is explained nearly wholly, since equal
    colours stay equal; another drawing is not, even where hashes of flat art agree.

    Returns:
        `[N, M]` float64, 0 to 1, of the whole picture and of what lies outside the explaining picture's commonest
        colour; 1 where that has one colour, which everything explains.
    """
    size, count, colours = len(theirs.pixels), len(theirs.pictures), ours.colours
    sums = colours.sums(theirs.pixels.reshape(size, -1), mirror)
    sums *= (1 / np.sqrt(colours.sizes)).astype(np.float32)[:, None]
    squared = np.square(sums).reshape(-1, 3, count).sum(axis=1)
    between = np.add.reduceat(squared, colours.starts).astype(np.float64)
    mean = size * (theirs.means**2).sum(axis=0)
    whole = _share(between - mean, theirs.variance.sum(axis=0))
    ground = sums[colours.commonest].reshape(-1, 3, count) * np.sqrt(colours.ground_sizes)[:, None, None]
    outside = np.maximum(size - colours.ground_sizes, 1)[:, None]
    rest = ((size * theirs.means[None] - ground) ** 2).sum(axis=1) / outside
    grounds = colours.ground(size, mirror)
    total = theirs.squares.sum(axis=0, dtype=np.float64) - grounds @ theirs.squares
    return whole, _share(between - squared[colours.commonest] - rest, total - rest)


def _share(held: np.ndarray, total: np.ndarray) -> np.ndarray:
    return np.where(total > FLAT, held / np.maximum(total, FLAT), 1.0)


def _mirrored(size: int) -> np.ndarray:
    """`[S * S]` int32: where each pixel of a square picture lies in its mirror."""
    side = round(size**0.5)
    return np.arange(size, dtype=np.int32).reshape(side, side)[:, ::-1].ravel()
