"""Compiled networks: trained, saved as plain ones, and refused without a compiler."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from animeid import train
from animeid.engine import compilation
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, class_folders

RUN = (*QUICK, "data.batch_size=8", "trainer.max_epochs=1", "trainer.precision=32-true")


@pytest.mark.slow
def test_a_compiled_network_trains_and_is_saved_as_the_plain_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "pictures", {"a": 13, "b": 17})
    # Not Adam, whose first steps are of one length however small a gradient is; and compiled dropout draws otherwise.
    same = ("averaging=ema", "optimizer=sgd", "optimizer.lr=0.01", "head.dropout=0")
    states = []
    for name, compiles in (("plain", "false"), ("compiled", "true")):
        arguments = [f"data.root={tmp_path / 'pictures'}", *RUN, *same, f"run_id={name}"]
        assert train.main([*arguments, f"trainer.compile={compiles}"]) == 0
        states.append(torch.load(RunFolder(Path("outputs") / name).best, weights_only=True)["state_dict"])
    assert states[0].keys() == states[1].keys()
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=1e-3, atol=1e-4)


def test_a_missing_compiler_is_one_sentence(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compilation.shutil, "which", lambda name: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    class_folders(tmp_path / "pictures", {"a": 13, "b": 17})
    assert train.main([f"data.root={tmp_path / 'pictures'}", *RUN, "trainer.compile=true"]) == 2
    assert "needs a C++ compiler" in capsys.readouterr().err
