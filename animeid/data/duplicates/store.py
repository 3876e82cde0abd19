"""Fingerprints of pictures that were seen before, found by the SHA-256 of their files.

Facts and thumbnails lie in files of their own, so that to know a picture costs no look at its thumbnail, which stays on
the disk. Each run that meets new pictures adds some; thumbnails are written before the facts that speak of them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np

from animeid.data.cache.home import is_forgotten
from animeid.data.duplicates.hashing import HASH_BYTES
from animeid.data.duplicates.thumbnails import SHAPE
from animeid.system.console import say
from animeid.system.files import atomic

VERSION = 2
"""Changes with how fingerprints are kept or computed."""

FACTS = np.dtype(
    [("sha256", "V32"), ("size", np.int64, 2), ("hash", np.uint8, HASH_BYTES), ("mirrored", np.uint8, HASH_BYTES)]
)
"""A picture: width and height, perceptual hashes of it and of its mirror."""

FIRST_RECORD = np.dtype([*FACTS.descr, ("thumbnail", np.uint8, SHAPE)])
"""A picture in the files of version 1, which are still read: they hold the same."""

TOGETHER = 2**14
"""New pictures that are written at once: 115 MB, which are held until then."""


class FingerprintStore:
    """Facts by the hexadecimal SHA-256, and thumbnails by file and place in it.

    Args:
        home: the cache's folder; None keeps everything in memory.
    """

    def __init__(self, home: Path | None) -> None:
        self.folder = None if home is None else home / f"fingerprints-v{VERSION}"
        self.files: list[np.ndarray] = []
        self.lock = Lock()
        self.new: list[tuple[np.ndarray, np.ndarray]] = []
        facts, places = [np.zeros(0, dtype=FACTS)], [np.zeros((0, 2), dtype=np.int64)]
        for some, thumbnails in _opened(home):
            facts.append(some)
            places.append(np.stack([np.full(len(some), len(self.files)), np.arange(len(some))], axis=1))
            self.files.append(thumbnails)
        self.facts, self.places = np.concatenate(facts), np.concatenate(places)
        keys = _keys(self.facts["sha256"])
        self.order = np.argsort(keys, kind="stable")
        self.keys = keys[self.order]

    def get(self, sha256: str) -> tuple[np.void, tuple[int, int]] | None:
        """What is known of a picture, and its thumbnail's file and place."""
        wanted = bytes.fromhex(sha256)
        if not wanted:
            return None
        key = _keys(np.frombuffer(wanted, dtype="V32"))[0]
        for index in self.order[np.searchsorted(self.keys, key) : np.searchsorted(self.keys, key, side="right")]:
            if self.facts["sha256"][index].tobytes() == wanted:
                return self.facts[index], tuple(self.places[index].tolist())
        return None

    def add(self, facts: np.ndarray, thumbnail: np.ndarray) -> tuple[int, int]:
        """Takes a new picture, `[1]` of FACTS and `[THUMBNAIL, THUMBNAIL, 3]` uint8, from any thread.

        Returns:
            The thumbnail's file and place; the file can be read after the next `flush`.
        """
        with self.lock:
            self.new.append((facts, thumbnail))
            where = len(self.files), len(self.new) - 1
            if len(self.new) >= TOGETHER:
                self._write()
            return where

    def flush(self) -> None:
        """Writes what is new; where the folder cannot be written that is said, and all goes on in memory."""
        with self.lock:
            if self.new:
                self._write()

    def _write(self) -> None:
        facts = np.concatenate([facts for facts, _ in self.new])
        thumbnails = np.stack([thumbnail for _, thumbnail in self.new])
        self.new.clear()
        self.files.append(self._kept(facts, thumbnails))

    def _kept(self, facts: np.ndarray, thumbnails: np.ndarray) -> np.ndarray:
        """The thumbnails, mapped from their file, or as they are where none can be written."""
        if self.folder is None:
            return thumbnails
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.parent.glob("fingerprints-v*/*.np[yz]"):
                if is_forgotten(path):
                    path.unlink(missing_ok=True)
            path = self.folder / f"{uuid4().hex}.npy"
            with atomic(path) as stream:
                np.save(stream, thumbnails)
            with atomic(path.with_suffix(".npz")) as stream:
                np.savez(stream, facts=facts)
            return np.load(path, mmap_mode="r")
        except OSError as error:
            say(f"the next run reads all pictures anew: {self.folder} cannot be written ({error.strerror})")
            self.folder = None
            return thumbnails


def _opened(home: Path | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Facts and thumbnails of each whole file; what another process removed, or what is damaged, is left out."""
    if home is None:
        return []
    found = []
    for path in sorted(home.glob("fingerprints-v1/*.npy")):
        with suppress(OSError, ValueError):
            records = np.load(path, mmap_mode="r")
            if records.dtype == FIRST_RECORD:
                facts = np.zeros(len(records), dtype=FACTS)
                for name in FACTS.fields or {}:
                    facts[name] = records[name]
                found.append((facts, records["thumbnail"]))
                _touch(path)
    for path in sorted(home.glob(f"fingerprints-v{VERSION}/*.npz")):
        with suppress(OSError, ValueError, KeyError, EOFError, BadZipFile):
            with np.load(path) as stored:
                facts = stored["facts"]
            thumbnails = np.load(path.with_suffix(".npy"), mmap_mode="r")
            if facts.dtype == FACTS and thumbnails.dtype == np.uint8 and thumbnails.shape == (len(facts), *SHAPE):
                found.append((facts, thumbnails))
                _touch(path)
                _touch(path.with_suffix(".npy"))
    return found


def _touch(path: Path) -> None:
    with suppress(OSError):  # a cache that others only read
        os.utime(path)


def _keys(sha256: np.ndarray) -> np.ndarray:
    """`[N]` uint64: the first bytes."""
    return np.ascontiguousarray(sha256).view(np.uint64).reshape(-1, 4)[:, 0]
