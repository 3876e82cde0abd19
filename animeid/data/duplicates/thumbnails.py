"""Thumbnails of pictures, left in the files that hold them until they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

THUMBNAIL = 48
"""Side of the thumbnails that near-duplicates are confirmed on."""

SHAPE = (THUMBNAIL, THUMBNAIL, 3)

NOWHERE = -1
"""The file of a picture that could not be read: its thumbnail is black."""


@dataclass(frozen=True)
class Thumbnails:
    """Of N pictures; `thumbnails[rows]` is `[len(rows), THUMBNAIL, THUMBNAIL, 3]` uint8, in memory.

    files: `[K, THUMBNAIL, THUMBNAIL, 3]` uint8 each, mapped or in memory. file, place: `[N]` int64, where each lies.
    """

    files: Sequence[np.ndarray]
    file: np.ndarray
    place: np.ndarray

    def __len__(self) -> int:
        return len(self.file)

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        file, place = self.file[rows], self.place[rows]
        found = np.zeros((len(file), *SHAPE), dtype=np.uint8)
        for number in np.unique(file[file != NOWHERE]).tolist():
            here = np.flatnonzero(file == number)
            found[here] = self.files[number][place[here]]
        return found

    def take(self, rows: np.ndarray) -> Thumbnails:
        return Thumbnails(self.files, self.file[rows], self.place[rows])

    def followed_by(self, others: Thumbnails) -> Thumbnails:
        moved = np.where(others.file == NOWHERE, NOWHERE, others.file + len(self.files))
        return Thumbnails(
            [*self.files, *others.files],
            np.concatenate([self.file, moved]),
            np.concatenate([self.place, others.place]),
        )
