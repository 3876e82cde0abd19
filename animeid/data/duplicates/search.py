"""Near-duplicates: found by perceptual hashes, confirmed by aligned pixels, grouped without chaining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from animeid.data.duplicates.fingerprints import Fingerprints
from animeid.data.duplicates.hashing import distances
from animeid.data.duplicates.similarity import is_same_drawing, is_same_picture

NEAR_BITS = 80
"""Hashes of 256 bits within one class that are worth a look at the pixels: wide, since the pixels decide."""

CONFLICT_BITS = 24
"""The same between classes, where there are far more pairs and only clear ones are worth a person's time."""

ALIGNED = 2
"""So many of the nearest candidates are laid over a picture, which takes milliseconds each, where none agrees as is."""

BLOCK = 512


@dataclass(frozen=True)
class NearPairs:
    """same: (member, representative) rows of one label. different: rows (smaller first) of two labels."""

    same: list[tuple[int, int]]
    different: list[tuple[int, int]]


def near_pairs(prints: Fingerprints, labels: Sequence[str]) -> NearPairs:
    """Near-duplicates within each label, and near pairs between labels; a picture without a label has neither.

    Within a label every member is near its group's representative, the first picture of the group, and not merely
    near another member: chains of small differences would join a whole style of flat art.
    """
    names = np.array(labels, dtype=object)
    same: list[tuple[int, int]] = []
    for label in sorted(set(labels) - {""}):
        same += _join(prints, np.flatnonzero(names == label))
    return NearPairs(same, _conflicts(prints, names))


def near_copies(prints: Fingerprints, labels: np.ndarray, others: Fingerprints, other_labels: np.ndarray) -> np.ndarray:
    """Which pictures are near-duplicates of one of the others: looked for widely within a label, closely elsewhere.

    Args:
        prints, labels: of N pictures.
        others, other_labels: of M pictures.

    Returns:
        `[N]` bool.
    """
    both = prints.followed_by(others)
    theirs = np.arange(len(labels), len(labels) + len(other_labels))
    found = np.zeros(len(labels), dtype=bool)
    for start in range(0, len(labels), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(labels)))
        for row, apart in zip(block.tolist(), bits_apart(both, block, theirs), strict=True):
            is_same_label = (other_labels == labels[row]) & (labels[row] != "")
            near = np.flatnonzero(is_same_label & (apart <= NEAR_BITS))
            nearest = theirs[near[np.argsort(apart[near], kind="stable")]].tolist()
            strangers = theirs[~is_same_label & (apart <= CONFLICT_BITS)]
            found[row] = _leader(both.thumbnails, row, nearest) is not None or any(
                is_same_picture(both.thumbnails[row], both.thumbnails[other]) for other in strangers
            )
    return found


def bits_apart(prints: Fingerprints, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`[N, M]`: distances between hashes, of the picture or of its mirror, whichever is nearer."""
    plain = distances(prints.hashes[rows], prints.hashes[others])
    return np.minimum(plain, distances(prints.mirrored[rows], prints.hashes[others]))


def _join(prints: Fingerprints, rows: np.ndarray) -> list[tuple[int, int]]:
    """(member, representative) pairs of one label."""
    pairs: list[tuple[int, int]] = []
    leaders: list[int] = []
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        # The leaders found before the block and all of the block itself, of which some become leaders on the way.
        others = np.array([*leaders, *block], dtype=np.int64)
        apart = bits_apart(prints, block, others)
        known = set(leaders)
        for place, row in enumerate(block.tolist()):
            near = np.flatnonzero(apart[place] <= NEAR_BITS)
            candidates = [int(others[index]) for index in near[np.argsort(apart[place][near], kind="stable")]]
            leader = _leader(prints.thumbnails, row, [other for other in candidates if other in known])
            if leader is None:
                known.add(row)
                leaders.append(row)
            else:
                pairs.append((row, leader))
    return pairs


def _leader(thumbnails: np.ndarray, row: int, leaders: list[int]) -> int | None:
    """The first leader that shows the same drawing, else the first of the nearest that shows it in another frame."""
    as_is = (other for other in leaders if is_same_drawing(thumbnails[row], thumbnails[other]))
    moved = (other for other in leaders[:ALIGNED] if is_same_picture(thumbnails[row], thumbnails[other]))
    return next(chain(as_is, moved), None)


def _conflicts(prints: Fingerprints, names: np.ndarray) -> list[tuple[int, int]]:
    """Near pairs of pictures with different labels."""
    labelled = np.flatnonzero(names != "")
    numbers = np.unique(names[labelled].astype(str), return_inverse=True)[1]
    found: list[tuple[int, int]] = []
    for start in range(0, len(labelled), BLOCK):
        block, rest = labelled[start : start + BLOCK], labelled[start:]
        near = bits_apart(prints, block, rest) <= CONFLICT_BITS
        near &= numbers[start : start + BLOCK, None] != numbers[None, start:]
        pairs = ((int(block[place]), int(rest[other])) for place, other in zip(*np.nonzero(near), strict=True))
        found += [
            (row, other)
            for row, other in pairs
            if row < other and is_same_picture(prints.thumbnails[row], prints.thumbnails[other])
        ]
    return found
