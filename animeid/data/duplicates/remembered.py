"""Decisions about near-duplicates that were made before, found by the content of the pictures.

Each run that decides something new adds one file; those that were not used for long are removed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np

from animeid.data.cache.home import is_forgotten
from animeid.data.duplicates.limits import Limits
from animeid.system.console import say
from animeid.system.files import atomic

VERSION = 2
"""Changes with what is decided of equal fingerprints: since 2, the same of two pictures in either order."""


DAMAGED = (OSError, ValueError, KeyError, BadZipFile, EOFError)
"""What reading raises where another process removed a file, it is damaged, or another version wrote it."""


def content(words: Iterable[object]) -> int:
    """64 bits that stand for the words in their order."""
    text = "\0".join(map(str, words)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


NOBODY = -1
"""The place of no picture."""


@dataclass(frozen=True)
class Group:
    """Decisions about the P pictures of a label, by their places in it.

    pictures: `[P]` uint64, the content of label and picture. leader: `[P]` int64, the representative of each; NOBODY of
    one that represents itself. laid: `[P, 2]` int64, the representatives that were laid over it, of which one agreed
    where it is the leader; NOBODY where its drawing alone decided. last: `[P]` int64, the farthest representative that
    was looked at; NOBODY where all were that are near. cut: places of pictures that were not wholly looked at. spent:
    whether alignments or representatives were left out for the work that they make.
    """

    pictures: np.ndarray
    leader: np.ndarray
    laid: np.ndarray
    last: np.ndarray
    cut: np.ndarray
    spent: bool

    @property
    def pairs(self) -> np.ndarray:
        """`[K, 2]`, member and representative."""
        members = np.flatnonzero(self.leader != NOBODY)
        return np.stack([members, self.leader[members]], axis=1)

    @property
    def by_drawing(self) -> np.ndarray:
        """`[P]` bool: whose representative shows the same drawing in the same frame."""
        return (self.leader != NOBODY) & (self.laid != self.leader[:, None]).all(axis=1)


BY_PICTURE = ("pictures", "leader", "laid", "last")


@dataclass(frozen=True)
class Set:
    """Decisions between the labels of a set.

    pictures: `[N]` uint64, sorted, the content of label and picture. pairs: `[P, 2]` uint64, the same, of pictures that
    are equal. cut: `[C]` uint64, those that were not wholly looked at.
    """

    pictures: np.ndarray
    pairs: np.ndarray
    cut: np.ndarray


NOTHING = Set(*(np.zeros(shape, dtype=np.uint64) for shape in (0, (0, 2), 0)))


class Remembered:
    """Decisions in the cache.

    Args:
        home: the cache's folder; None keeps nothing.
    """

    def __init__(self, home: Path | None) -> None:
        self.folder = None if home is None else home / f"near-v{VERSION}"

    def groups(self, wanted: set[int]) -> dict[int, Group]:
        """What was decided about labels, by their `content`."""
        found: dict[int, Group] = {}
        for path in self._files("classes"):
            with suppress(*DAMAGED), np.load(path) as stored:
                keys = stored["keys"].tolist()
                if wanted.isdisjoint(keys):
                    continue
                groups = zip(keys, _groups_in(stored), strict=True)
                found.update((key, group) for key, group in groups if key in wanted)
                _touch(path)
        return found

    def likest(self, wanted: Mapping[int, np.ndarray]) -> dict[int, Group]:
        """The decisions about most of the pictures of each label; none where none was seen before.

        Where work was left out, which that was depends on all pictures: such decisions are not given.

        Args:
            wanted: `[R]` uint64, the `pictures` of each label, by any key.
        """
        most, found = dict.fromkeys(wanted, 0), {}
        keys = list(wanted)
        owner = np.repeat(np.arange(len(keys)), [len(pictures) for pictures in wanted.values()])
        ours, first = np.unique(np.concatenate([*wanted.values(), np.zeros(0, np.uint64)]), return_index=True)
        for path in self._files("classes") if len(ours) else []:
            with suppress(*DAMAGED), np.load(path) as stored:
                theirs = stored["pictures"]
                at = np.minimum(np.searchsorted(ours, theirs), len(ours) - 1)
                shared = np.flatnonzero(ours[at] == theirs)
                if not len(shared):
                    continue
                group_of = np.searchsorted(stored["ends"], shared, side="right")
                pairs, counts = np.unique(np.stack([owner[first[at[shared]]], group_of]), axis=1, return_counts=True)
                groups = list(_groups_in(stored))
                for label, number, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
                    if count > most[keys[label]] and not groups[number].spent:
                        most[keys[label]], found[keys[label]] = count, groups[number]
                _touch(path)
        return found

    def add_groups(self, groups: Mapping[int, Group]) -> None:
        if groups:
            kept = list(groups.values())
            self._write(
                "classes",
                keys=np.array(list(groups), dtype=np.uint64),
                ends=np.cumsum([len(group.pictures) for group in kept]),
                cut_ends=np.cumsum([len(group.cut) for group in kept]),
                spent=np.array([group.spent for group in kept]),
                **{name: np.concatenate([vars(group)[name] for group in kept]) for name in (*BY_PICTURE, "cut")},
            )

    def largest_set(self, pictures: np.ndarray, within: Limits) -> Set:
        """The set that most of these pictures were in, looked at within the same limits; or NOTHING."""
        best, most, place = NOTHING, 0, None
        for path in self._files("set"):
            with suppress(*DAMAGED), np.load(path) as stored:
                if stored["between"] != within.between:
                    continue
                theirs = stored["pictures"]
                there = int(np.isin(pictures, theirs).sum())
                if there > most:
                    best, most, place = Set(theirs, stored["pairs"], stored["cut"]), there, path
        if place is not None:
            _touch(place)
        return best

    def add_set(self, found: Set, within: Limits) -> None:
        self._write("set", **vars(found), between=np.int64(within.between))

    def _files(self, kind: str) -> list[Path]:
        """Files of which each array is read where it is asked for."""
        return sorted(self.folder.glob(f"{kind}-*.npz")) if self.folder else []

    def _write(self, kind: str, **arrays: np.ndarray | np.generic) -> None:
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.parent.glob("near-v*/*.npz"):
                if is_forgotten(path):
                    path.unlink(missing_ok=True)
            with atomic(self.folder / f"{kind}-{uuid4().hex}.npz") as stream:
                np.savez(stream, **arrays)  # type: ignore[arg-type]
        except OSError as error:
            say(f"the next run looks for near-duplicates anew: {self.folder} cannot be written ({error.strerror})")


def _groups_in(stored: Mapping[str, np.ndarray]) -> Iterator[Group]:
    """The groups of a file, in their order."""
    parts = [np.split(stored[name], stored["ends"][:-1]) for name in BY_PICTURE]
    cut = np.split(stored["cut"], stored["cut_ends"][:-1])
    return (Group(*group) for group in zip(*parts, cut, stored["spent"].tolist(), strict=True))


def _touch(path: Path) -> None:
    with suppress(OSError):  # a cache that others only read
        os.utime(path)
