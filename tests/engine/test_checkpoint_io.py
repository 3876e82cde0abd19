"""Checkpoints are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from animeid.engine.checkpoint_io import AtomicCheckpointIO


class Unpicklable:
    def __reduce__(self) -> tuple:
        raise RuntimeError("killed in the middle")


def test_a_write_that_fails_in_the_middle_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"epoch": 1}, path)
    with pytest.raises(RuntimeError, match="killed"):
        AtomicCheckpointIO().save_checkpoint({"epoch": 2, "bad": Unpicklable()}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_nothing_goes_through_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A temporary folder that does not exist stands for one on another file system: it must not be used at all.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not_there"))
    AtomicCheckpointIO().save_checkpoint({"epoch": 1}, tmp_path / "checkpoints" / "last.ckpt")
    assert (tmp_path / "checkpoints" / "last.ckpt").is_file()
