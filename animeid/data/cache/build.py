"""Fills one segment of the pixel cache, with a thread a core where pictures are large enough for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from animeid.data.picture_files import open_picture
from animeid.errors import InputError
from animeid.imaging.decode import UnreadableImage
from animeid.imaging.geometry import working_size
from animeid.imaging.working import working_from_stream
from animeid.system.cores import of_many
from animeid.system.progress import progress

PAGE = 4096


@dataclass(frozen=True)
class Wanted:
    """N pictures for one segment.

    sha256: of the files' bytes as the manifest has them. offset: `[N]` int64, where each one's place begins.
    room: bytes of the whole segment. side: of the working pictures.
    """

    paths: Sequence[Path]
    sha256: Sequence[str]
    offset: np.ndarray
    room: int
    side: int

    @classmethod
    def of(cls, paths: Sequence[Path], sha256: Sequence[str], sizes: np.ndarray, side: int) -> Wanted:
        """Lays the pictures out one after the other; `sizes` is `[N, 2]`, (h, w) of the files."""
        places = [place(int(height), int(width), side) for height, width in sizes]
        ends = np.cumsum(places, dtype=np.int64)
        return cls(paths, sha256, ends - places, int(ends[-1]), side)


def place(height: int, width: int, side: int) -> int:
    """Bytes that a working picture takes at most, in whole pages.

    A decoder that scales rounds sizes up, by which the long side may become a pixel or two longer.
    """
    small_height, small_width = working_size(height, width, side)
    most = 3 * (small_height + 2) * (small_width + 2)
    return -(-most // PAGE) * PAGE


def write_pixels(path: Path, wanted: Wanted, max_pixels: int) -> np.ndarray:
    """Decodes the pictures into a new file and syncs it.

    Returns:
        `[N, 2]` int64, height and width of each working picture.

    Raises:
        InputError: a picture changed or vanished.
        OSError: the disk is full; the room is taken before the first picture is decoded.
    """
    sizes = np.zeros((len(wanted.paths), 2), dtype=np.int64)
    with path.open("w+b") as stream:
        _reserve(stream.fileno(), wanted.room)
        pixels = np.memmap(stream, dtype=np.uint8, mode="r+", shape=(wanted.room,))

        def fill(index: int) -> None:
            picture = _read(wanted.paths[index], wanted.sha256[index], max_pixels, wanted.side)
            start = int(wanted.offset[index])
            pixels[start : start + picture.size] = picture.reshape(-1)
            sizes[index] = picture.shape[:2]

        count = len(wanted.paths)
        for _ in progress(of_many(fill, range(count)), count, "filling the pixel cache"):
            pass
        pixels.flush()
        os.fsync(stream.fileno())
    return sizes


def _reserve(descriptor: int, room: int) -> None:
    """Takes the room on the disk, where a full one is noticed; writing to a map would kill the process instead."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, room)
    else:
        os.truncate(descriptor, room)


def _read(path: Path, sha256: str, max_pixels: int, side: int) -> np.ndarray:
    try:
        with open_picture(path) as stream:
            content = stream.read()
        picture = working_from_stream(BytesIO(content), max_pixels, side, incomplete=True)
    except (OSError, UnreadableImage) as error:
        raise InputError(
            f"the picture {path} could be read a moment ago and cannot be read now ({error}): start again"
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"the picture {path} has changed since this run was begun: put it back, or begin a new run")
    return picture
