"""One picture out of a shard, without the others."""

from __future__ import annotations

import io
import os
from functools import lru_cache
from pathlib import Path

from animeid.data.shards.layout import SUFFIX, split_path
from animeid.system.files import read_json

OPEN_SHARDS = 512
"""So many are held open by a process; shards of one class each are read side by side."""


class OpenShard:
    """A shard whose pictures can be read in any order, also by processes that were forked from this one.

    Raises:
        OSError: shard or sidecar cannot be read.
    """

    def __init__(self, path: Path) -> None:
        sidecar = read_json(path.with_suffix(".json"))
        self.places: dict[str, tuple[int, int]] = sidecar["pictures"]
        self.descriptor = os.open(path, os.O_RDONLY)

    def read(self, picture: str) -> bytes:
        start, size = self.places[picture]
        # At an offset of its own, so that threads and forks do not move one another's position.
        return os.pread(self.descriptor, size, start)

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


@lru_cache(OPEN_SHARDS)
def _shard(path: str) -> OpenShard:
    return OpenShard(Path(path))


def _find(path: Path) -> tuple[OpenShard, str] | None:
    """The shard of a picture, and what the picture is called there."""
    # By text first: asking the file system for every parent of every picture would cost more than reading it.
    head, sign, picture = str(path).partition(f"{SUFFIX}/")
    try:
        shard = _shard(head + SUFFIX) if sign else None
    except FileNotFoundError:
        shard = None
    if shard is None or picture not in shard.places:
        found = split_path(path)
        if found is None:
            return None
        shard, picture = _shard(str(found[0])), found[1]
    return (shard, picture) if picture in shard.places else None


def open_member(path: Path) -> io.BytesIO | None:
    """The file of a picture whose `path` leads into a shard; None where there is no such shard or picture.

    Raises:
        OSError: the shard is there and cannot be read.
    """
    found = _find(path)
    return None if found is None else io.BytesIO(found[0].read(found[1]))


def is_there(path: Path) -> bool:
    """Whether a picture is a file, or in a shard."""
    return path.is_file() or _find(path) is not None
