"""Picture files: opened from a folder or from a shard, and decoded."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from animeid.data.shards.read import open_member
from animeid.imaging.decode import UnreadableImage, decode_stream, identify
from animeid.imaging.working import working_from_stream

MISSING = "missing"
"""Why a file cannot be read that is not there."""


def decode(path: Path, max_pixels: int, short_side: int | None = None, *, incomplete: bool = False) -> np.ndarray:
    """Reads a picture file as `decode_image` does.

    Returns:
        `[H, W, 3]` uint8 RGB.

    Raises:
        UnreadableImage: with the reason: missing, empty, not a picture, too large, broken.
    """
    with open_picture(path) as stream:
        return decode_stream(stream, max_pixels, short_side, incomplete=incomplete)


def working_picture(path: Path, max_pixels: int, side: int, *, incomplete: bool = False) -> np.ndarray:
    """Reads a picture file to `[h, w, 3]` uint8 RGB of `working_size`.

    Raises:
        UnreadableImage: as `decode`.
    """
    with open_picture(path) as stream:
        return working_from_stream(stream, max_pixels, side, incomplete=incomplete)


def open_picture(path: Path) -> IO[bytes]:
    """Opens a file that may be a picture, or one inside a shard (see `animeid.data.shards.layout`).

    Raises:
        UnreadableImage: it is not there, empty, or may not be read.
    """
    try:
        if not path.is_file():
            member = open_member(path)
            if member is None:
                raise UnreadableImage("not a file" if path.exists() else MISSING)
            return member
        if path.stat().st_size == 0:
            raise UnreadableImage("empty")
        return path.open("rb")
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from error


def format_of(path: Path) -> str:
    """The format that the file's content is in, one of `FORMATS`, whatever its name ends in.

    Raises:
        UnreadableImage: as `decode`, of what its header tells.
    """
    with open_picture(path) as stream, identify(stream) as picture:
        return picture.format or ""
