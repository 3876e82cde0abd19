"""What finished runs keep and need no more: what is removed, and what never is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from animeid import clean
from animeid.engine.checkpoint_io import AtomicCheckpointIO
from animeid.runs.cleaning import keep_weights_only
from animeid.runs.folder import RunFolder
from animeid.system.files import write_json, write_yaml


def a_run(path: Path, *, finished: bool = True, **request: str) -> RunFolder:
    """A run's folder with all its checkpoints, one of them set aside as damaged."""
    folder = RunFolder(path)
    folder.create()
    write_yaml(folder.config, {"run_id": path.name})
    write_yaml(folder.request, {"run_id": path.name, **request})
    for file in (folder.best, folder.last, folder.previous):
        AtomicCheckpointIO().save_checkpoint({"weight": torch.zeros(1000)}, file)
    folder.last.with_suffix(".damaged").write_bytes(b"half")
    folder.logits.write_bytes(b"answers")
    if finished:
        write_json(folder.metrics, {"val": None})
    return folder


def checkpoints(folder: RunFolder) -> list[str]:
    return sorted(path.name for path in folder.checkpoints.iterdir())


ALL = ["best.ckpt", "last.ckpt", "last.damaged", "previous.ckpt"]


def test_what_would_be_freed_is_listed_first_and_nothing_is_removed(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    one, job = a_run(Path("outputs/one")), a_run(Path("outputs/sweep/0"))
    cut = a_run(Path("outputs/cut"), finished=False)
    assert clean.main([]) == 0
    told = capsys.readouterr().out
    assert "outputs/one " in told and "outputs/sweep/0 " in told
    assert "1 run is not finished and may go on: outputs/cut" in told
    assert "of 2 runs; the same with apply=true" in told
    assert checkpoints(one) == checkpoints(job) == checkpoints(cut) == ALL


def test_only_what_finished_runs_need_no_more_is_removed(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    one, job, other = a_run(Path("outputs/one")), a_run(Path("outputs/sweep/0")), a_run(Path("outputs/other"))
    cut, lost = a_run(Path("outputs/cut"), finished=False), a_run(Path("outputs/lost"))
    lost.best.write_bytes(lost.best.read_bytes()[:-100])
    size = sum(path.stat().st_size for path in one.checkpoints.iterdir() if path != one.best)
    assert clean.main(["runs=outputs/one:outputs/sweep:outputs/cut:outputs/lost", "apply=true"]) == 0
    assert f"freed {2 * size / 1e6:,.1f} MB of 2 runs" in capsys.readouterr().out
    assert checkpoints(one) == checkpoints(job) == ["best.ckpt"]
    assert one.logits.is_file() and one.metrics.is_file()
    assert checkpoints(cut) == ALL, "it goes on from these"
    assert checkpoints(lost) == ALL, "its last checkpoint has the only weights that are left"
    assert checkpoints(other) == ALL
    assert clean.main(["runs=outputs/one"]) == 0
    assert "nothing can be freed" in capsys.readouterr().out


def test_a_folder_without_runs_is_told(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert clean.main([]) == 2
    assert "runs=outputs finds no run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "left"), [({"keep": "weights"}, ["best.ckpt"]), ({"keep": "all"}, ALL), ({}, ALL)], ids=str
)
def test_a_run_keeps_what_it_was_asked_to(asked: dict[str, str], left: list[str], tmp_path: Path) -> None:
    """A run of an earlier version was not asked, and has kept all."""
    folder = a_run(tmp_path / "run", **asked)
    keep_weights_only(folder)
    assert checkpoints(folder) == left
