"""A refit: a twin is judged on val, then the model that is kept learns from train and val, and from nothing of test."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from animeid import evaluate, train
from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.engine.module import CharacterModule
from animeid.metrics.table import summary_table
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.identity import differing, result_keys
from animeid.runs.leaks import seen_by
from animeid.runs.lineage import with_ancestors
from animeid.runs.saved import SavedRun
from animeid.runs.temperature import usable_temperature
from animeid.training.refit import final_request, twin_request
from tests.small_runs import QUICK, class_folders, uneven_manifest
from tests.training.test_resume import Cut, assert_equal_runs, cut_after

RUN = (
    *QUICK,
    "keep=all",
    "data.batch_size=4",
    "data.test_ratio=0.2",
    "data.val_ratio=0.2",
    "data.refit=true",
    "averaging=tail",
    "trainer.max_epochs=2",
    "optimizer=sgd",
    "optimizer.lr=0.05",
)


@dataclass(frozen=True)
class Home:
    """A folder with a refit, and the manifest rows that each of its trainings was shown."""

    pictures: Path
    run: FinishedRun
    shown: dict[bool, set[int]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("home")
    pictures = class_folders(root / "pictures", {"a": 13, "b": 17}, coarse=4)
    shown: dict[bool, set[int]] = defaultdict(set)
    original = CharacterModule.training_step

    def seen(self: CharacterModule, batch, batch_idx):
        shown[self.record["plan"]["data"]["refit"]].update(batch["row"].tolist())
        return original(self, batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(CharacterModule, "training_step", seen)
        assert train.main([f"data.root={pictures}", *RUN, "run_id=straight"]) == 0
    return Home(pictures, FinishedRun(RunFolder(root / "outputs" / "straight")), dict(shown))


@pytest.fixture(autouse=True)
def _home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.pictures.parent)


def rows_in(run: FinishedRun, *parts: str) -> set[int]:
    return set(np.flatnonzero(run.manifest.table["split"].isin(parts).to_numpy()).tolist())


def test_the_twin_learns_train_and_the_kept_model_train_and_val(home: Home) -> None:
    twin = home.run.twin
    assert twin is not None
    train_rows, val, test = (rows_in(twin, part) for part in ("train", "val", "test"))
    assert len(val) > 3 and len(test) > 3
    assert home.shown == {False: train_rows, True: train_rows | val}
    assert not (home.shown[True] | home.shown[False]) & test
    assert rows_in(home.run, "train") == train_rows | val
    assert rows_in(home.run, "test") == test


def test_both_are_trained_by_one_plan_to_its_end(home: Home) -> None:
    run, twin = home.run, home.run.twin
    assert twin is not None
    assert run.best_epoch is not None and twin.best_epoch is not None
    assert (run.best_epoch.epoch, run.best_epoch.monitor) == (2, None)
    assert (twin.best_epoch.epoch, twin.best_epoch.monitor) == (2, None)
    plans = [{**one.plan, "facts": None, "data": {**one.plan["data"], "refit": None}} for one in (run, twin)]
    differ = {key for key in plans[0] if plans[0][key] != plans[1][key]}
    assert differ == {"test", "run_id", "resume"}
    steps = [one.plan["facts"]["total_steps"] for one in (twin, run)]
    pictures = [len(home.shown[refit]) for refit in (False, True)]
    assert steps == [2 * -(-count // 4) for count in pictures]


def test_what_is_said_of_val_is_the_twins(home: Home) -> None:
    run, twin = home.run, home.run.twin
    assert twin is not None
    assert run.metrics["val"] == twin.metrics["val"]
    assert run.metrics["baselines"]["val"] == twin.metrics["baselines"]["val"]
    assert "test" not in twin.parts
    assert run.refit == {"val_figures_of": "twin", "pictures": len(home.shown[True]), "from_val": 6}
    ours, theirs = (one.predictions_of("val") for one in (run, twin))
    for one, other in zip(vars(ours).values(), vars(theirs).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    # Temperature and logit adjustment read the answers for val.
    assert run.calibration is not None and twin.calibration is not None
    assert run.calibration["temperature"] == twin.calibration["temperature"]
    assert usable_temperature(SavedRun(run.folder), "it")[1]
    told = summary_table(run.metrics)
    assert "val: figures of the twin, which was trained without its 6 pictures" in told
    assert "its twin before in" in told
    page = run.folder.report.read_text(encoding="utf-8")
    assert "val (of the twin)" in page
    assert "figures of the twin, which was trained without its 6 pictures" in page
    assert run.training_s == pytest.approx(run.metrics["cost"]["train_s"] + twin.training_s)


def test_test_is_answered_by_the_kept_model(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main([f"run={home.run.folder.path}", "split=test"]) == 0
    again = FinishedRun(RunFolder(home.run.folder.path / "evaluations" / "test"))
    np.testing.assert_allclose(again.logits, home.run.predictions_of("test").logits, atol=1e-5)
    assert again.metrics["test"]["f1_macro"] == home.run.metrics["test"]["f1_macro"]


def test_it_is_not_judged_on_what_it_has_learnt(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main([f"run={home.run.folder.path}", "split=val"]) == 2
    assert "straight/twin split=val" in capsys.readouterr().err
    assert train.main(["stage=crt", f"from_run={home.run.folder.path}"]) == 2
    assert "from_run=" in (told := capsys.readouterr().err) and "straight/twin" in told


def test_later_runs_find_val_among_what_it_was_trained_on(home: Home) -> None:
    twin = home.run.twin
    assert twin is not None
    manifest = twin.manifest
    everything = np.ones(len(manifest.table), bool)
    for run, parts in ((home.run, ("train", "val")), (twin, ("train",))):
        found = seen_by(with_ancestors(run.folder), manifest, everything, 10**6, "off").rows
        assert set(np.flatnonzero(found).tolist()) == rows_in(twin, *parts)


def test_a_kill_in_either_training_changes_nothing(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """In the second epoch of each, as kill -9 does, and by a signal in between."""
    twin, steps = RunFolder(Path("outputs/cut/twin")), home.run.twin.plan["facts"]["steps_per_epoch"]
    command = [f"data.root={home.pictures}", *RUN, "run_id=cut", "resume=auto"]
    for batches, how, status in (
        (steps + 2, "kill", None),
        (2, "term", 143),
        (steps - 2 + home.run.plan["facts"]["steps_per_epoch"] + 2, "kill", None),
    ):
        with pytest.MonkeyPatch.context() as patch:
            cut_after(patch, batches, how)
            if status is None:
                with pytest.raises(Cut):
                    train.main(command)
            else:
                assert train.main(command) == status
                assert "keeps what its twin has learnt" in capsys.readouterr().err
    assert twin.is_finished
    assert train.main([*command[:-1], "resume=must"]) == 0
    told = capsys.readouterr().out
    assert "twin is finished" in told and "going on with outputs/cut in epoch 2" in told
    assert_equal_runs(home.run.folder, RunFolder(Path("outputs/cut")))
    assert_equal_runs(home.run.folder.twin, twin)


def test_a_kill_before_the_run_has_begun_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    for one in (folder, folder.twin):
        one.create()
        one.config.touch()
    folder.twin.environment.touch()
    folder.twin.labels.touch()
    folder.clear_start()
    assert not any(folder.path.iterdir())


def test_where_training_follows_validation_it_is_refused(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    common = [f"data.root={home.pictures}", *RUN]
    for word, sentence in (
        ("scheduler=reduce_on_plateau", "this scheduler follows a figure of validation, and the training on train"),
        ("callbacks.patience=2", "callbacks.patience stops by validation, and the training on train and val"),
        ("data.val_ratio=0", "data.refit=true has no val part to judge a twin on"),
    ):
        averaging = ["averaging=none"] if "plateau" in word else []
        assert train.main([*common, word, *averaging, "run_id=refused"]) == 2
        assert sentence in capsys.readouterr().err
        assert not Path("outputs/refused").exists()
    assert train.main([*common, "data.folds=3", "data.fold=all"]) == 2
    assert "data.fold=all" in capsys.readouterr().err


def test_requests_of_both_trainings() -> None:
    asked = {
        "data": {"refit": True, "batch_size": "auto", "root": "x"},
        "callbacks": {"monitor": "val/f1_macro", "patience": None},
        "test": True,
        "recipe": {},
        "budget": "2h",
        "run_id": "a",
        "resume": "never",
        "seed": 3,
    }
    twin, final = twin_request(asked), final_request(asked, batch_size=8)
    assert twin["data"] == {"refit": False, "batch_size": "auto", "root": "x"}
    assert (twin["test"], twin["recipe"], twin["seed"], twin["callbacks"]["monitor"]) == (False, None, 3, None)
    assert final["data"] == {"refit": True, "batch_size": 8, "root": "x"}
    assert (final["test"], final["callbacks"]["monitor"]) == (True, None)
    assert asked["data"]["batch_size"] == "auto"


def test_a_val_part_is_carved_where_it_is_neither_given_nor_a_fold(home: Home, tmp_path: Path) -> None:
    def is_carved(root: Path, **settings: Any) -> bool:
        return prepare(DataSettings(root=str(root), cache="off", **settings)).carved_val

    assert is_carved(home.pictures)
    assert not is_carved(home.pictures, val_ratio=0.0)
    assert not is_carved(home.pictures, folds=3, fold=0)
    manifest = uneven_manifest(tmp_path)
    assert not is_carved(manifest)
    table = pd.read_csv(manifest)
    table[table["split"] != "val"].to_csv(manifest, index=False)
    assert is_carved(manifest)


def test_a_request_from_before_refits_is_known_again() -> None:
    assert result_keys({"data": {"refit": "auto"}, "seed": 1}) == {"seed": 1}
    assert differing({"seed": 1}, {"seed": 1, "data.refit": False}) == []
    assert differing({"seed": 1}, {"seed": 2, "data.refit": True}) == ["data.refit", "seed"]
    assert differing({"data.refit": True}, {}) == ["data.refit"]
