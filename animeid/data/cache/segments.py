"""Working pictures decoded once: memory-mapped uint8 pixels, shared by all runs, workers and processes of a machine.

A picture is found by the SHA-256 of its file, so that a changed file is another picture, a moved one is the same, and
one that was removed is not asked for. Pictures of one working side lie in one folder, in segments: a build adds one
segment with the pictures that are missing. A segment's pixels are written beside their place, synced and moved there;
then its index is. What has no index does not exist, so that a build that is killed leaves nothing that is trusted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np

from animeid.data.cache.build import Wanted, write_pixels
from animeid.data.cache.home import is_forgotten
from animeid.data.cache.pixels import FilePixels
from animeid.data.manifest import Manifest
from animeid.errors import InputError
from animeid.system.console import say
from animeid.system.files import atomic
from animeid.system.lock import lock

VERSION = 2
"""Changes with what a working picture is."""

SPARE = 0.02
"""The share of a disk that a build leaves free."""


class CacheUnusable(InputError):  # noqa: N818 - the name says what happened
    """There is no cache: the disk is too small for it, or its folder cannot be written."""


@dataclass(frozen=True)
class Segment:
    """The pictures of one build.

    pixels: the file. sha256: `[N]` 32 bytes each. offset: `[N]` int64, of the first byte. size: `[N, 2]` int64, (h, w).
    """

    pixels: Path
    sha256: np.ndarray
    offset: np.ndarray
    size: np.ndarray


def segments(folder: Path) -> list[Segment]:
    """The complete segments of a folder."""
    found = []
    for index in sorted(folder.glob("*.npz")):
        pixels = index.with_suffix(".pixels")
        try:
            with np.load(index) as stored:
                segment = Segment(pixels, stored["sha256"], stored["offset"], stored["size"])
                whole = int(stored["bytes"]) == pixels.stat().st_size
        except (OSError, ValueError, KeyError, BadZipFile):  # removed by another process, or damaged
            continue
        if whole:
            found.append(segment)
    return found


def digests(hexadecimal: Sequence[str]) -> np.ndarray:
    """`[N]` of 32 bytes each."""
    return np.frombuffer(bytes.fromhex("".join(hexadecimal)), dtype="V32")


@dataclass(frozen=True)
class Found:
    """Where each of N pictures lies; segment -1 is nowhere."""

    files: list[Path]
    segment: np.ndarray
    offset: np.ndarray
    size: np.ndarray

    @property
    def missing(self) -> np.ndarray:
        """`[M]` int64, the positions of pictures that are not in the cache."""
        return np.flatnonzero(self.segment < 0)


def find(folder: Path, sha256: Sequence[str]) -> Found:
    """Looks pictures up in all segments."""
    wanted = digests(sha256)
    segment = np.full(len(wanted), -1, dtype=np.int64)
    offset, size = np.zeros(len(wanted), np.int64), np.zeros((len(wanted), 2), np.int64)
    there = segments(folder)
    for number, one in enumerate(there):
        position = {digest: index for index, digest in enumerate(one.sha256.tolist())}
        for row in np.flatnonzero(segment < 0):
            index = position.get(wanted[row].item())
            if index is not None:
                segment[row], offset[row], size[row] = number, one.offset[index], one.size[index]
    return Found([one.pixels for one in there], segment, offset, size)


class CachedPixels:
    """Reads working pictures from the cache's files, and those that it does not hold from their own.

    Each process maps the files for itself, when it first reads.

    Args:
        found: of the rows `rows` of the manifest, in their order.
        rows: `[N]` int64.
        files: where other rows are read.
    """

    def __init__(self, found: Found, rows: np.ndarray, files: FilePixels) -> None:
        self.paths = found.files
        self.files = files
        count = len(files.paths)
        self.segment = np.full(count, -1, dtype=np.int64)
        self.offset, self.size = np.zeros(count, np.int64), np.zeros((count, 2), np.int64)
        self.segment[rows], self.offset[rows], self.size[rows] = found.segment, found.offset, found.size
        self.maps: dict[int, np.ndarray] = {}

    def __getstate__(self) -> dict:
        # A map that is pickled would be copied whole.
        return {**self.__dict__, "maps": {}}

    def read(self, row: int) -> np.ndarray:
        segment = int(self.segment[row])
        if segment < 0:
            return self.files.read(row)
        if segment not in self.maps:
            self.maps[segment] = np.memmap(self.paths[segment], dtype=np.uint8, mode="r").view(np.ndarray)
        height, width = self.size[row].tolist()
        start = int(self.offset[row])
        return self.maps[segment][start : start + 3 * height * width].reshape(height, width, 3)


def open_cache(home: Path, manifest: Manifest, files: FilePixels) -> CachedPixels:
    """The cache with all pictures of the manifest's parts in it; those that are missing are added first.

    Several processes may call this at once: one builds, and the others wait.

    Args:
        home: of the caches of all working sides.
        manifest: with `sha256`, `width` and `height`; rows whose split is `excluded` are left out.
        files: decodes what is missing.

    Raises:
        CacheUnusable: the disk is too small, of which nothing has been written, or the folder cannot be written.
        InputError: a picture changed or vanished since the manifest was made.
    """
    folder = home / f"v{VERSION}-{files.side}"
    rows = np.flatnonzero((manifest.table["split"] != "excluded").to_numpy())
    sha256 = manifest.table["sha256"].iloc[rows].tolist()
    found = find(folder, sha256)
    if len(found.missing):
        try:
            with lock(folder / "lock", f"the pixel cache {folder}", waits=True):
                _forget(home)
                _clear(folder)
                found = find(folder, sha256)
                if len(found.missing):
                    _build(folder, manifest, rows[found.missing], files)
                    found = find(folder, sha256)
        except OSError as error:
            raise CacheUnusable(
                f"the pixel cache {folder} cannot be written ({error.strerror}): name another folder in data.cache, "
                "or take data.cache=off"
            ) from error
    with suppress(OSError):  # a cache that others only read
        for path in found.files:
            os.utime(path.with_suffix(".npz"))
    return CachedPixels(found, rows, files)


def _forget(home: Path) -> None:
    """Removes what has not been used for long, of all working sides and versions; what others own stays."""
    for index in home.glob("v*/*.npz"):
        with suppress(OSError):
            if is_forgotten(index):
                index.unlink(missing_ok=True)
                index.with_suffix(".pixels").unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Removes what a killed build left; the lock is held."""
    for partial in folder.glob(".*"):
        partial.unlink(missing_ok=True)
    indexed = {index.stem for index in folder.glob("*.npz")}
    for pixels in folder.glob("*.pixels"):
        if pixels.stem not in indexed:
            pixels.unlink(missing_ok=True)


def _build(folder: Path, manifest: Manifest, rows: np.ndarray, files: FilePixels) -> None:
    """Adds a segment with the pictures of these rows, each content once."""
    table = manifest.table.iloc[rows].drop_duplicates("sha256")
    kept = table.index.to_numpy()
    wanted = Wanted.of(
        [files.path(row) for row in kept],
        table["sha256"].tolist(),
        table[["height", "width"]].to_numpy(np.int64),
        files.side,
    )
    _refuse_too_small(folder, wanted.room)
    name = uuid4().hex
    partial, pixels = folder / f".{name}", folder / f"{name}.pixels"
    try:
        sizes = write_pixels(partial, wanted, files.max_pixels)
        partial.replace(pixels)
    finally:
        partial.unlink(missing_ok=True)
    with atomic(folder / f"{name}.npz") as stream:
        np.savez(stream, sha256=digests(wanted.sha256), offset=wanted.offset, size=sizes, bytes=np.int64(wanted.room))


def _refuse_too_small(folder: Path, room: int) -> None:
    disk = shutil.disk_usage(folder)
    left = disk.free - SPARE * disk.total
    if room > left:
        raise CacheUnusable(
            f"the pixel cache needs {gigabytes(room)} in {folder}, and {gigabytes(max(left, 0))} can be used there: "
            "make room, name another folder in data.cache, or take data.cache=off"
        )
    say(f"decoding pictures into the pixel cache {folder} ({gigabytes(room)})")


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e7 else f"{count / 1e6:.2f} MB"
