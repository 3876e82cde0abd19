"""Near-duplicates among pictures of one label: each is compared with representatives, in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from animeid.data.duplicates.drawings import Drawings, same_drawings
from animeid.data.duplicates.fingerprints import Fingerprints
from animeid.data.duplicates.hashing import bits_apart
from animeid.data.duplicates.limits import Limits
from animeid.data.duplicates.similarity import is_same_picture
from animeid.data.duplicates.told import Told

NEAR_BITS = 80
"""Hashes of 256 bits within one class that are worth a look at the pixels: wide, since the pixels decide."""

ALIGNED = 2
"""So many of the nearest candidates are laid over a picture, a millisecond each, where none agrees as it is."""

BLOCK = 256

CHUNK = 64
"""Pictures that one core compares with as many others: they stay in its cache."""

SPARSE = 1 / 16
"""Where fewer of a block's pairs are candidates, each picture is compared with its own only."""


@dataclass
class LabelSearch:
    """Search for pictures that show what one of the label's representatives shows.

    prints: of all pictures. limits: of the work. alignments: how many are left. pool: threads for these and
    for the comparisons. told: what is known of earlier. cut: rows that not all candidates were looked at of. laid: by
    row, the representatives that were laid over it. last: by row, the farthest one that was looked at of more.
    """

    prints: Fingerprints
    limits: Limits
    alignments: int
    pool: Executor
    told: Told | None = None
    cut: set[int] = field(default_factory=set)
    laid: dict[int, list[int]] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def groups(self, rows: np.ndarray) -> Iterator[list[tuple[int, int]]]:
        """The (member, representative) pairs of rows of one label, block by block.

        The first picture of a group represents it, so that groups depend on the order of the rows.
        """
        leaders = np.zeros(0, dtype=np.int64)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            older = leaders[-self.limits.leaders :]
            if len(older) < len(leaders):
                self.cut.update(block.tolist())
            pairs = _Block(self, block, np.concatenate([older, block]), len(older)).pairs()
            members = {member for member, _ in pairs}
            leaders = np.concatenate([leaders, [row for row in block.tolist() if row not in members]]).astype(np.int64)
            yield pairs

    def members(self, rows: np.ndarray, leaders: np.ndarray) -> Iterator[list[tuple[int, int]]]:
        """The (row, leader) pairs of rows that show what one of the given leaders shows, block by block."""
        older = leaders[-self.limits.leaders :]
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            if len(older) < len(leaders):
                self.cut.update(block.tolist())
            yield _Block(self, block, older, len(older)).pairs()


class _Block:
    """Some rows and their candidates: the first `fixed` are leaders, the others the rows themselves, or nothing."""

    def __init__(self, search: LabelSearch, rows: np.ndarray, others: np.ndarray, fixed: int) -> None:
        self.search, self.rows, self.others, self.fixed = search, rows.tolist(), others.tolist(), fixed
        prints = search.prints
        apart = bits_apart(prints.hashes[rows], prints.mirrored[rows], prints.hashes[others])
        is_near = apart <= NEAR_BITS
        is_near[:, fixed:] &= np.tri(len(rows), len(others) - fixed, -1, dtype=bool)
        # What may be looked at, and one more, which tells that there are more: which rows of the block become leaders
        # is not known yet.
        most = search.limits.nearest + 1 + is_near[:, fixed:].sum(axis=1)
        self.near = [_by_distance(apart[place], is_near[place])[: most[place]] for place in range(len(rows))]
        wanted = np.zeros_like(is_near)
        for place, near in enumerate(self.near):
            wanted[place, near] = True
        self.looked, self.same = np.zeros_like(wanted), np.zeros_like(wanted)
        if search.told:
            self.looked, self.same = search.told.of_pairs(rows, others, apart)
            wanted &= search.told.is_likely_asked(rows, others)
        wanted &= ~self.looked
        for places in search.told.new_and_old(rows) if search.told else [np.arange(len(rows))]:
            self._look(places, np.arange(len(others)), wanted[places])
        self.moved: dict[tuple[int, int], bool] = {}
        self.thumbnails: dict[int, np.ndarray] = {}

    def pairs(self) -> list[tuple[int, int]]:
        """The decisions, one row after the other, since rows of the block may become leaders of later ones.

        Alignments take most of the time: those that are needed if none agrees are made first, on all cores.
        """
        asked: list[tuple[int, int]] = []
        self._decide(asked)
        asked = asked[: self.search.alignments]
        self._keep_thumbnails(asked)
        self.moved = dict(zip(asked, self.search.pool.map(self._is_moved, asked), strict=True))
        self.search.alignments -= len(asked)
        return self._decide(None)

    def _decide(self, asked: list[tuple[int, int]] | None) -> list[tuple[int, int]]:
        is_leader = np.ones(len(self.others), dtype=bool)
        pairs = []
        for place, row in enumerate(self.rows):
            near = self.near[place]
            near = near[is_leader[near]]
            leader = self._leader(place, near, asked)
            if leader is not None:
                pairs.append((row, self.others[leader]))
                is_leader[self.fixed + place : self.fixed + place + 1] = False
        return pairs

    def _leader(self, place: int, near: np.ndarray, asked: list[tuple[int, int]] | None) -> int | None:
        """The nearest candidate that shows the same drawing, else the nearer of two that shows it in another frame."""
        looked = near[: self.search.limits.nearest]
        if asked is None and len(looked) < len(near):
            self.search.cut.add(self.rows[place])
            self.search.last[self.rows[place]] = self.others[looked[-1]]
        self._look_as_far_as_asked(place, looked)
        same = looked[self.same[place, looked]]
        laid = self.search.laid[self.rows[place]] = []
        if len(same):
            return int(same[0])
        nearest = looked[:ALIGNED].tolist()
        for other in nearest:
            agrees = self._known_moved(place, other)
            if agrees is None and asked is not None:
                asked += [(place, one) for one in nearest if self._known_moved(place, one) is None]
                return None
            laid.append(self.others[other])
            if agrees or (agrees is None and self._agrees_moved(place, other)):
                return other
        return None

    def _look_as_far_as_asked(self, place: int, looked: np.ndarray) -> None:
        """Compares a picture with candidates that were not expected to be asked of, up to the one that agrees."""
        agree = np.flatnonzero(self.same[place, looked])
        before = looked[: agree[0]] if len(agree) else looked
        unclear = before[~self.looked[place, before]]
        if len(unclear):
            self._look(np.array([place]), unclear, np.ones((1, len(unclear)), dtype=bool))

    def _look(self, places: np.ndarray, columns: np.ndarray, wanted: np.ndarray) -> None:
        """Compares the drawings of wanted pairs, `[N, M]` bool of so many places and columns."""
        rows, others = np.array(self.rows)[places], np.array(self.others)[columns]
        where = np.ix_(places, columns)
        self.same[where] |= _same(self.search, rows, others, wanted)
        self.looked[where] |= wanted

    def _known_moved(self, place: int, other: int) -> bool | None:
        """Whether one agrees with the other once it is laid over it; None where that is still to be done."""
        known = self.moved.get((place, other))
        told = self.search.told
        if known is None and told is not None:
            known = told.agreed_moved(self.rows[place], self.others[other])
        return known

    def _agrees_moved(self, place: int, other: int) -> bool:
        if self.search.alignments <= 0:
            self.search.cut.add(self.rows[place])
            return False
        self.search.alignments -= 1
        self._keep_thumbnails([(place, other)])
        self.moved[place, other] = self._is_moved((place, other))
        return self.moved[place, other]

    def _is_moved(self, pair: tuple[int, int]) -> bool:
        place, other = pair
        return is_same_picture(*(self.thumbnails[row] for row in (self.rows[place], self.others[other])))

    def _keep_thumbnails(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Reads what pairs will be laid over one another, at once."""
        rows = {row for place, other in pairs for row in (self.rows[place], self.others[other])}
        new = np.array(sorted(rows - self.thumbnails.keys()), dtype=np.int64)
        self.thumbnails.update(zip(new.tolist(), self.search.prints.thumbnails[new], strict=True))


def _by_distance(apart: np.ndarray, is_near: np.ndarray) -> np.ndarray:
    near = np.flatnonzero(is_near)
    return near[np.argsort(apart[near], kind="stable")]


def _same(search: LabelSearch, rows: np.ndarray, others: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """`[N, M]` bool: wanted pairs that show the same drawing, decided on all cores."""
    found = np.zeros(wanted.shape, dtype=bool)
    tasks = list(_tasks(search.prints, rows, others, wanted))
    for (places, columns, _, _), same in zip(
        tasks, search.pool.map(lambda task: same_drawings(*task[2:]), tasks), strict=True
    ):
        found[np.ix_(places, columns)] = same
    return found & wanted


def _tasks(
    prints: Fingerprints, rows: np.ndarray, others: np.ndarray, wanted: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, Drawings, Drawings]]:
    """Places and columns of wanted pairs, and their drawings: in chunks that are prepared once, or one with its own."""
    ours, theirs = np.flatnonzero(wanted.any(axis=1)), np.flatnonzero(wanted.any(axis=0))
    if wanted.sum() < SPARSE * len(ours) * len(theirs) or len(theirs) == 1:
        alone = [(np.array([place]), np.flatnonzero(wanted[place])) for place in ours]
        if len(theirs) < len(ours):
            alone = [(np.flatnonzero(wanted[:, column]), np.array([column])) for column in theirs]
        for places, columns in alone:
            yield places, columns, _drawings(prints, rows[places]), _drawings(prints, others[columns])
        return
    chunks = [(columns, _drawings(prints, others[columns])) for columns in _chunks(theirs)]
    for places in _chunks(ours):
        drawings = _drawings(prints, rows[places])
        for columns, their_drawings in chunks:
            if wanted[np.ix_(places, columns)].any():
                yield places, columns, drawings, their_drawings


def _drawings(prints: Fingerprints, rows: np.ndarray) -> Drawings:
    return Drawings(prints.thumbnails[rows])


def _chunks(numbers: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]
