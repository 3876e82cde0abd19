"""Embeddings that are kept: found by content and maker."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import numpy as np

from animeid.data.cache.home import KEPT_DAYS
from animeid.data.cache.vectors import VectorStore

FIRST, SECOND, THIRD = (sha256(name).hexdigest() for name in (b"1", b"2", b"3"))
VECTORS = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_what_was_added_is_found_by_content(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, "maker")
    assert store.read([FIRST]) == {}
    assert store.add([FIRST, SECOND], VECTORS)
    assert store.add([THIRD], 10 + VECTORS[:1])
    found = VectorStore(tmp_path, "maker").read([THIRD, SECOND, sha256(b"4").hexdigest(), SECOND])
    assert sorted(found) == [0, 1, 3]
    np.testing.assert_array_equal(np.stack([found[0], found[1], found[3]]), [[10, 11, 12], [3, 4, 5], [3, 4, 5]])
    assert VectorStore(tmp_path, "other").read([FIRST]) == {}


def test_a_damaged_segment_is_passed_over(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, "maker")
    store.add([FIRST, SECOND], VECTORS)
    (segment,) = store.folder.glob("*.npz")
    segment.write_bytes(segment.read_bytes()[:100])
    assert store.read([FIRST]) == {}


def test_what_nobody_read_for_long_goes(tmp_path: Path) -> None:
    old = VectorStore(tmp_path, "old")
    old.add([FIRST, SECOND], VECTORS)
    (segment,) = old.folder.glob("*.npz")
    long_ago = time.time() - (KEPT_DAYS + 1) * 86400
    os.utime(segment, (long_ago, long_ago))
    VectorStore(tmp_path, "new").add([THIRD], VECTORS[:1])
    assert old.read([FIRST]) == {}


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not VectorStore(tmp_path / "file", "maker").add([FIRST], VECTORS[:1])
