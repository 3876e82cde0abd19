"""Old files of the cache that two runs remove at once: neither takes that for a cache that cannot be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from animeid.data.cache.home import is_forgotten
from animeid.data.duplicates import remembered, store
from animeid.data.duplicates.limits import limits
from animeid.data.duplicates.store import FACTS, FingerprintStore
from animeid.data.duplicates.thumbnails import SHAPE


def removed_by_another(path: Path) -> bool:
    path.unlink()
    return True


def test_what_another_run_removed_first_is_gone_and_no_more(tmp_path: Path, monkeypatch, capsys) -> None:
    for name in ("near-v0/set-1.npz", "fingerprints-v0/1.npz"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    for module in (remembered, store):
        monkeypatch.setattr(module, "is_forgotten", removed_by_another)
    none = np.zeros(0, np.int64)
    nothing = remembered.Group(none.astype(np.uint64), none, np.zeros((0, 2), np.int64), none, none, False)
    remembered.Remembered(tmp_path).add_groups({1: nothing})
    kept = FingerprintStore(tmp_path)
    kept.add(np.zeros(1, FACTS), np.zeros(SHAPE, np.uint8))
    kept.flush()
    assert capsys.readouterr().out == ""
    assert sorted(path.suffix for path in tmp_path.glob("*/*.np[yz]")) == [".npy", ".npz", ".npz"]


def test_files_of_another_version_or_broken_ones_are_as_good_as_none(tmp_path: Path) -> None:
    folder = tmp_path / f"near-v{remembered.VERSION}"
    folder.mkdir()
    pictures = np.zeros(1, np.uint64)
    for kind in ("classes", "set"):
        np.savez(folder / f"{kind}-other.npz", keys=pictures, pictures=pictures, ends=np.ones(1, np.int64))
        (folder / f"{kind}-broken.npz").write_bytes(b"PK\x03\x04")
    kept = remembered.Remembered(tmp_path)
    assert kept.groups({0}) == kept.likest({0: pictures}) == {}
    assert kept.largest_set(pictures, limits(1)) is remembered.NOTHING


def test_a_file_that_is_gone_before_it_is_asked_of_is_none_to_remove(tmp_path: Path) -> None:
    assert not is_forgotten(tmp_path / "gone.npz")
