"""One picture out of a shard, without the others."""

from __future__ import annotations

import io
import json
import os
from functools import lru_cache
from pathlib import Path

from animeid.data.shards.layout import SUFFIX, split_path

OPEN_SHARDS = 128


class OpenShard:
    """A shard whose pictures can be read in any order, also by processes that were forked from this one.

    Raises:
        OSError: shard or sidecar cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.places: dict[str, list[int]] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))[
            "pictures"
        ]
        self.descriptor = os.open(path, os.O_RDONLY)

    def read(self, picture: str) -> bytes | None:
        place = self.places.get(picture)
        # Reads at an offset of its own, so that threads and forks do not move one another's position.
        return None if place is None else os.pread(self.descriptor, place[1], place[0])

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


@lru_cache(OPEN_SHARDS)
def _shard(path: str) -> OpenShard:
    return OpenShard(Path(path))


def open_member(path: Path) -> io.BytesIO | None:
    """The file of a picture whose `path` leads into a shard; None where there is no such shard or picture.

    Raises:
        OSError: the shard is there and cannot be read.
    """
    # By text first: asking the file system for every parent of every picture would cost more than reading it.
    head, sign, picture = str(path).partition(f"{SUFFIX}/")
    try:
        content = _shard(head + SUFFIX).read(picture) if sign else None
    except FileNotFoundError:
        content = None
    if content is None:
        found = split_path(path)
        content = _shard(str(found[0])).read(found[1]) if found else None
    return None if content is None else io.BytesIO(content)


def is_there(path: Path) -> bool:
    """Whether a picture is a file, or in a shard."""
    return path.is_file() or open_member(path) is not None
