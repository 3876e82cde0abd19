"""What earlier decisions say of a label's pictures, of which some have come or gone since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animeid.data.duplicates.fingerprints import Fingerprints
from animeid.data.duplicates.hashing import row_by_row
from animeid.data.duplicates.remembered import NOBODY, Group

FARTHEST = 8 * 32
"""Bits: all of a hash."""


@dataclass(frozen=True)
class Told:
    """Of the pictures of a label.

    group: the decisions. places: of each picture that was there, by row; its place among those that were decided on.
    last, bits: `[P]` int64 by place, the last representative that its drawing was compared with, and how far that was;
    NOBODY, and more than FARTHEST, where all near ones were looked at; -1 bits where the last one is gone, and with it
    what was looked at before it.
    """

    group: Group
    places: dict[int, int]
    last: np.ndarray
    bits: np.ndarray

    @classmethod
    def of(cls, prints: Fingerprints, rows: np.ndarray, pictures: np.ndarray, group: Group) -> Told:
        """Of rows with the content `pictures` `[R]`; a copy of a file is told what its first copy was."""
        known, first = np.unique(group.pictures, return_index=True)
        at = np.minimum(np.searchsorted(known, pictures), len(known) - 1)
        is_known = known[at] == pictures
        places = first[at[is_known]]
        row_of = np.full(len(group.pictures), NOBODY)
        row_of[places] = rows[is_known]
        last = np.where(group.by_drawing, group.leader, group.last)
        bits = np.where(last == NOBODY, FARTHEST + 1, -1)
        both_there = np.flatnonzero((last != NOBODY) & (row_of != NOBODY) & (row_of[last] != NOBODY))
        bits[both_there] = row_by_row(prints.hashes, prints.mirrored, row_of[both_there], row_of[last[both_there]])
        return cls(group, dict(zip(rows[is_known].tolist(), places.tolist(), strict=True)), last, bits)

    def of_pairs(self, rows: np.ndarray, others: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`[N, M]` bool each: which pairs were looked at, and which of them show the same drawing.

        Those of a picture and the representatives before it, from the nearest to the one that shows its drawing.

        Args:
            apart: `[N, M]`, their hashes' distances.
        """
        row, other = self._places(rows)[:, None], self._places(others)[None]
        bits, leader = self.bits[row], np.where(self.group.by_drawing, self.group.leader, NOBODY)[row]
        not_behind = (apart < bits) | ((apart == bits) & (other <= self.last[row]))
        # A new row has a place before all others.
        looked = (other != NOBODY) & (other < row) & (self.group.leader[other] == NOBODY) & not_behind
        return looked, looked & (other == leader)

    def new_and_old(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of the rows are new, and which are not: what is asked of either is nearly a rectangle of pairs."""
        is_new = self._places(rows) == NOBODY
        return np.flatnonzero(is_new), np.flatnonzero(~is_new)

    def is_likely_asked(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """`[N, M]` bool: pairs of which one picture is new, and the other no member of a group, as it likely stays."""
        row, other = self._places(rows), self._places(others)
        was_member = (other != NOBODY) & (self.group.leader[other] != NOBODY)
        return ((row == NOBODY)[:, None] | (other == NOBODY)) & ~was_member

    def agreed_moved(self, row: int, other: int) -> bool | None:
        """Whether one, laid over the other, showed the same; None where it was not laid."""
        own, theirs = self.places.get(row, NOBODY), self.places.get(other, NOBODY)
        if NOBODY in (own, theirs) or theirs not in self.group.laid[own]:
            return None
        return bool(self.group.leader[own] == theirs)

    def _places(self, rows: np.ndarray) -> np.ndarray:
        return np.array([self.places.get(row, NOBODY) for row in rows.tolist()], dtype=np.int64)
