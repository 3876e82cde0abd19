"""`data.fold=all` on real runs: every picture outside test is answered by the run that has not seen it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from animeid import ensemble, train
from animeid.runs.best_epoch import BestEpoch
from animeid.runs.folder import RunFolder
from animeid.system.lock import lock
from animeid.training import folds
from tests.small_runs import QUICK, class_folders, noise

pytestmark = pytest.mark.usefixtures("without_reports")

RUN = (*QUICK, "trainer.max_epochs=1", "data.test_ratio=0.25", "logger=none")
ALL = ("data.root=pictures", *RUN, "data.folds=5", "data.fold=all", "run_id=all")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class has four groups outside test, so that four folds are made; one has a single picture."""
    home = tmp_path_factory.mktemp("home")
    class_folders(home / "pictures", {"many": 20, "少": 5, "alone": 1}, coarse=4)
    class_folders(home / "two", {"many": 20, "少": 5}, coarse=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main(list(ALL)) == 0
    return home


def test_as_many_folds_as_the_data_has_groups_for(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    arguments = ["data.root=two", *RUN, "data.folds=5", "data.fold=all", "run_id=two"]
    assert train.main(arguments) == 0
    told = capsys.readouterr().out
    assert "4 of 4 jobs are finished" in told
    assert "have none" not in told
    assert sorted(path.name for path in (home / "outputs" / "two").iterdir() if path.is_dir())[1:] == [
        "0", "1", "2", "3", "ensemble", "out_of_fold",
    ]  # fmt: skip


def test_each_picture_is_answered_by_the_run_that_has_not_seen_it(home: Path) -> None:
    folder = RunFolder(home / "outputs" / "all" / "out_of_fold")
    found, logits = pd.read_parquet(folder.predictions).set_index("path"), np.load(folder.logits)
    runs = [RunFolder(home / "outputs" / "all" / str(number)) for number in range(2)]
    held_out = set()
    for run in runs:
        own, own_logits = pd.read_parquet(run.predictions), np.load(run.logits)
        for place in np.flatnonzero(own["split"] == "val"):
            path = own["path"][place]
            assert path not in held_out
            held_out.add(path)
            np.testing.assert_array_equal(logits[found.index.get_loc(path)], own_logits[place])
    assert held_out == set(found.index)
    manifest = pd.read_parquet(runs[0].manifest)
    outside = manifest[(manifest["split"] != "test") & (manifest["label"] != "alone")]
    assert held_out == set(outside["path"])
    assert list(pd.read_csv(folder.skipped)["path"]) == ["alone/0.png"]
    figures = json.loads(folder.metrics.read_text())["val"]
    assert figures["acc_micro"] == pytest.approx((found["predicted"] == found["label"]).mean())


def test_no_picture_chooses_the_epoch_that_answers_it(home: Path) -> None:
    folder = home / "outputs" / "all"
    for fold in ("0", "1"):
        best = json.loads((folder / fold / "best_epoch.json").read_text())
        assert (best["epoch"], best["monitor"], best["fixed"]) == (best["epochs"], None, True)
    assert json.loads((folder / "out_of_fold" / "flattered_by.json").read_text()) == []


def test_folds_of_an_earlier_version_are_kept_and_said_to_flatter(home: Path, monkeypatch, capsys) -> None:
    """They chose their epochs by the pictures that they answer; the same command still knows them."""
    monkeypatch.chdir(home)
    command = [*ALL[:-1], "run_id=before"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "by_last_epoch", lambda request: request)
        assert train.main(command) == 0
    told = capsys.readouterr().out
    assert "these figures flatter, since pictures that a fold answers had a say in its training: the epoch" in told
    shutil.rmtree(home / "outputs" / "before" / "out_of_fold")
    (home / "outputs" / "before" / "0" / "best_epoch.json").unlink()  # as a version before that had it
    assert train.main(command) == 0
    told = capsys.readouterr().out
    assert f"is finished already: {Path('outputs/before/1')}" in told
    flattered = json.loads((home / "outputs" / "before" / "out_of_fold" / "flattered_by.json").read_text())
    assert flattered == ["the epoch that is kept was the best on them"]


def test_what_follows_the_answered_pictures_is_named() -> None:
    """Early stopping keeps its figure; a schedule that follows validation is told of as well."""
    stopping = {"callbacks": {"monitor": "val/loss", "patience": 3}}
    assert folds.by_last_epoch(stopping) == stopping
    assert folds.by_last_epoch({"callbacks": {"monitor": "val/loss", "patience": None}}) == {
        "callbacks": {"monitor": None, "patience": None}
    }
    honest = BestEpoch.of(pd.DataFrame({"epoch": [0, 1], "val/f1_macro": [0.9, 0.1]}), 2, None)
    assert folds.flattered_by([SimpleNamespace(best_epoch=honest, history=())]) == []
    assert folds.flattered_by([SimpleNamespace(best_epoch=None, history=None)]) == []  # nothing was trained
    led = replace(honest, followed=("this scheduler follows a figure of validation",))
    chosen = replace(honest, fixed=False, monitor="val/f1_macro", figure=0.9)
    assert folds.flattered_by([SimpleNamespace(best_epoch=one, history=()) for one in (honest, led, chosen)]) == [
        "this scheduler follows a figure of validation",
        "the epoch that is kept was the best on them",
    ]


@pytest.mark.parametrize(("name", "answers"), [("out_of_fold", 1), ("ensemble", 2)])
def test_what_all_folds_cost(name: str, answers: int, home: Path) -> None:
    """They are all trained; each picture is answered by one of them, or by all."""
    folder = home / "outputs" / "all"
    costs = [json.loads((folder / one / "metrics.json").read_text())["cost"] for one in ("0", "1", name)]
    assert costs[2]["train_s"] == pytest.approx(costs[0]["train_s"] + costs[1]["train_s"])
    mean = (costs[0]["latency_ms"] + costs[1]["latency_ms"]) / 2
    assert costs[2]["latency_ms"] == pytest.approx(answers * mean, abs=1e-3)


def test_the_test_part_is_answered_by_all(home: Path) -> None:
    folder = RunFolder(home / "outputs" / "all" / "ensemble")
    table = pd.read_parquet(folder.predictions)
    manifest = pd.read_parquet(RunFolder(home / "outputs" / "all" / "0").manifest)
    assert set(table["path"]) == set(manifest["path"][manifest["split"] == "test"])
    assert len(json.loads((folder.path / "ensemble.json").read_text())) == 2


def test_a_pattern_of_a_folder_of_folds_finds_the_runs(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert ensemble.main(["runs=outputs/all/*", "run_id=pattern"]) == 0
    told = capsys.readouterr().out
    assert "left out, as no training run made them: outputs/all/ensemble, outputs/all/out_of_fold" in told
    assert "all 2 together: f1_macro" in told


def test_the_same_command_goes_on(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    folder = home / "outputs" / "all"
    shutil.rmtree(folder / "1")
    (folder / "out_of_fold" / "metrics.json").unlink()
    before = (folder / "out_of_fold" / "logits.npy").read_bytes()
    assert train.main(list(ALL)) == 0
    told = capsys.readouterr().out
    assert f"is finished already: {Path('outputs/all/0')}" in told
    assert "the folds' common answers are there already" in told
    assert (folder / "out_of_fold" / "logits.npy").read_bytes() == before


def test_pictures_that_changed_between_folds_are_refused(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    shutil.copytree(home / "outputs" / "all", home / "outputs" / "changed")
    shutil.rmtree(home / "outputs" / "changed" / "out_of_fold")
    shutil.rmtree(home / "outputs" / "changed" / "1")
    picture = home / "pictures" / "many" / "0.png"
    kept = picture.read_bytes()
    noise(np.random.default_rng(99), picture, coarse=4)
    assert train.main([*ALL, "run_id=changed"]) == 2
    picture.write_bytes(kept)
    assert "the pictures changed between" in capsys.readouterr().err


def test_a_fold_that_fails_does_not_stop_the_others(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    folder = home / "outputs" / "half"
    shutil.copytree(home / "outputs" / "all", folder)
    shutil.rmtree(folder / "0")
    shutil.rmtree(folder / "out_of_fold")
    with lock(folder / ".locks" / "0", "a fold"):
        assert train.main([*ALL, "run_id=half"]) == 2
    assert "1 of 2 folds were not trained" in capsys.readouterr().err
    assert not (folder / "out_of_fold").exists()


def test_other_settings_are_not_mixed_with_those_that_are_there(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert train.main([*ALL, "trainer.max_epochs=2"]) == 2
    assert "has the folds of other settings" in capsys.readouterr().err
    assert train.main(list(ALL)) == 0


@pytest.mark.parametrize("start", [["stage=crt"], []])
def test_folds_do_not_start_from_a_run_that_knows_their_pictures(
    start: list[str], home: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(home)
    arguments = [*ALL[:-1], *start, "from_run=outputs/all/0", "run_id=seen"]
    assert train.main(arguments) == 2
    told = capsys.readouterr().err
    manifest = pd.read_parquet(RunFolder(home / "outputs" / "all" / "0").manifest)
    known = ((manifest["split"] == "train") & (manifest["label"] != "alone")).sum()
    assert f"{known} of them were in the training of outputs/all/0, which all folds would start from" in told
    assert not (home / "outputs" / "seen").exists()


@pytest.mark.parametrize("fold", ["all", "0"])
def test_folds_that_would_be_empty_are_refused(fold: str, tmp_path: Path, monkeypatch, capsys) -> None:
    class_folders(tmp_path / "pictures", {"a": 1, "b": 1, "c": 1})
    monkeypatch.chdir(tmp_path)
    assert train.main(["data.root=pictures", *RUN, "data.folds=3", f"data.fold={fold}", "run_id=refused"]) == 2
    told = capsys.readouterr().err
    assert "data.folds=3 cannot be made: no class has pictures in at least 2 groups" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["data.fold=all"], "data.fold=all needs data.folds"),
        (["-m", "data.folds=3", "data.fold=all", "seed=1,2"], "leave out -m"),
        (["data.folds=3", "data.fold=every"], "data.fold"),
    ],
)
def test_what_folds_cannot_be(arguments: list[str], sentence: str, home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert train.main(["data.root=pictures", *RUN, *arguments, "run_id=refused"]) == 2
    assert sentence in capsys.readouterr().err
    assert not (home / "outputs" / "refused").exists()
