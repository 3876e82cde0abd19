"""Limits of the search for near-duplicates, by the number of pictures, so that it always ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is looked at, at most.

    nearest: candidates of a picture within its label, by their hashes. leaders: representatives of a label that a
    picture's hash is compared with, the latest ones. aligned: alignments a picture, on the average over a label.
    between: candidates of a picture among other labels. pairs: of those in all. Up to 16,384 pictures a search is cut
    short nowhere but where a picture has more than 1,024 candidates, or 128 under other labels, or 4 there on the
    average.
    """

    nearest: int
    leaders: int
    aligned: float
    between: int
    pairs: int


def limits(pictures: int) -> Limits:
    """Work grows linearly with the number of pictures.

    The number is rounded up to a power of two, so that a few new pictures change no limit, and with it no decision
    that was kept.
    """
    size = 1 << max(pictures - 1, 1).bit_length()
    return Limits(
        nearest=_within(2**24 // size, 32, 1024),
        leaders=_within(2**34 // size, 2**13, 2**16),
        aligned=min(2.0, 2**18 / size),
        between=_within(2**21 // size, 2, 128),
        pairs=min(4 * size, 2**18),
    )


def _within(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(highest, value))
