"""The end of a run: what a kill in it leaves undone, and what goes on from its folder afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid import train
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, trained_home

RUN = (*QUICK, "trainer.max_epochs=1", "data.val_ratio=0.3", "data.test_ratio=0.2", "logger=none", "run_id=done")
COMMAND = ("data.root=pictures", *RUN)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_home(tmp_path_factory, {"many": 16, "少": 10}, (train.main, COMMAND))


def test_a_kill_behind_the_figures_leaves_checkpoints_that_the_same_command_removes(home, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    folder = RunFolder(home / "outputs" / "done")
    folder.last.write_bytes(folder.best.read_bytes())
    folder.report.unlink()
    assert train.main([*COMMAND, "resume=must"]) == 0
    assert "finished but for its report" in capsys.readouterr().out
    assert folder.report.is_file()
    assert [path.name for path in folder.checkpoints.iterdir()] == ["best.ckpt"]


@pytest.mark.parametrize("resume", ["auto", "must"])
def test_a_finished_run_without_checkpoints_to_go_on_from_has_nothing_left_to_do(
    resume: str, home: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(home)
    assert train.main([*COMMAND, f"resume={resume}"]) == 0
    assert "is finished; nothing is left to do" in capsys.readouterr().out


@pytest.mark.parametrize("changed", ["keep=all", "embeddings=off"])
def test_what_is_kept_makes_no_other_run(changed: str, home: Path, monkeypatch) -> None:
    monkeypatch.chdir(home)
    assert train.main([*COMMAND, "resume=auto", changed]) == 0


def test_a_finished_run_is_started_from_and_mended(home: Path, monkeypatch) -> None:
    monkeypatch.chdir(home)
    assert train.main([*COMMAND[:-1], "from_run=outputs/done", "stage=tau_norm", "run_id=mended"]) == 0


def test_a_run_whose_figures_were_taken_away_says_that_nothing_goes_on(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    folder = RunFolder(home / "outputs" / "done")
    figures = folder.metrics.read_bytes()
    folder.metrics.unlink()
    assert train.main([*COMMAND, "resume=must"]) == 2
    assert "resume=must finds no checkpoint in outputs/done" in capsys.readouterr().err
    folder.metrics.write_bytes(figures)
