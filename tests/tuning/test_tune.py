"""A search on real runs: what it tries, what it leaves, and how it goes on."""

from __future__ import annotations

import csv
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
import yaml
from optuna.trial import TrialState

from animeid import train, tune
from animeid.config.compose import compose
from animeid.runs.folder import RunFolder
from animeid.system.files import write_json, write_yaml
from animeid.training.run import train as train_run
from animeid.tuning.best import evaluations_on_test
from animeid.tuning.pruning import MONITORED, Reporting
from animeid.tuning.search import FOLDER
from tests.small_runs import QUICK, trained_home

RUN = (
    *QUICK,
    "trainer.max_epochs=1",
    "data.val_ratio=0.3",
    "data.test_ratio=0.2",
    "logger=none",
)
SPACE = ("space=none", "space.loss=[cross_entropy,focal]", "space.optimizer.lr={low: 0.001, high: 0.1, log: true}")
SEARCH = ("data.root=pictures", *RUN, *SPACE, "trials=3", "run_id=search")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, and a search of three trials."""
    return trained_home(tmp_path_factory, {"many": 16, "少": 10}, (tune.main, SEARCH))


def rows(home: Path, name: str) -> list[dict[str, str]]:
    with (home / "outputs" / name / "trials.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_each_trial_is_a_run_with_its_values(home: Path) -> None:
    found = rows(home, "search")
    assert [row["state"] for row in found] == ["complete"] * 3
    for row in found:
        folder = RunFolder(home / "outputs" / "search" / row["folder"])
        plan = yaml.safe_load(folder.config.read_text(encoding="utf-8"))
        assert plan["optimizer"]["lr"] == float(row["optimizer.lr"])
        assert ("Focal" in plan["loss"]["_target_"]) == (row["loss"] == "focal")
        figures = json.loads(folder.metrics.read_text(encoding="utf-8"))
        assert figures["val"]["f1_macro"] == pytest.approx(float(row["val/f1_macro"]), abs=1e-6)


def test_the_test_part_is_not_read(home: Path) -> None:
    for number in range(3):
        folder = RunFolder(home / "outputs" / "search" / str(number))
        assert "test" not in set(pd.read_parquet(folder.predictions)["split"])
        assert json.loads(folder.metrics.read_text(encoding="utf-8"))["test"] is None
        assert "test" in set(pd.read_parquet(folder.manifest)["split"])


def test_the_best_trial_alone_is_explained(home: Path) -> None:
    found = rows(home, "search")
    best = max(found, key=lambda row: float(row["val/f1_macro"]))
    for row in found:
        folder, is_best = RunFolder(home / "outputs" / "search" / row["folder"]), row is best
        files = (folder.report, folder.calibration, folder.cams, folder.figures / "confusion_val.png")
        assert [path.is_file() for path in files] == [is_best] * 4, row["folder"]
        assert ("train" in set(pd.read_parquet(folder.predictions)["split"])) == is_best
        figures = json.loads(folder.metrics.read_text(encoding="utf-8"))
        assert list(figures["baselines"]) == (["val"] if is_best else [])
        assert [path.name for path in folder.checkpoints.iterdir()] == ["best.ckpt"]


def test_an_explained_trial_is_what_the_same_run_by_itself_is(home: Path, monkeypatch) -> None:
    """Baselines, calibration, answers and heat maps that are made later are those that training makes at once."""
    monkeypatch.chdir(home)
    best = max(rows(home, "search"), key=lambda row: float(row["val/f1_macro"]))
    values = [f"{key}={best[key]}" for key in ("loss", "optimizer.lr")]
    assert train.main(["data.root=pictures", *RUN, *values, "test=false", "run_id=alone"]) == 0
    trial, alone = RunFolder(home / "outputs" / "search" / best["folder"]), RunFolder(home / "outputs" / "alone")
    for name in ("logits", "embeddings"):
        np.testing.assert_array_equal(np.load(getattr(trial, name)), np.load(getattr(alone, name)))
    pd.testing.assert_frame_equal(pd.read_parquet(trial.predictions), pd.read_parquet(alone.predictions))
    first, second = (json.loads(folder.metrics.read_text(encoding="utf-8")) for folder in (trial, alone))
    assert {**first, "cost": 0} == {**second, "cost": 0}
    assert trial.calibration.read_text() == alone.calibration.read_text()
    with np.load(trial.cams) as one, np.load(alone.cams) as other:
        np.testing.assert_array_equal(one["cam"], other["cam"])
    assert {path.name for path in trial.figures.iterdir()} == {path.name for path in alone.figures.iterdir()}


def test_the_same_command_adds_nothing_and_reads_test_once_if_asked(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    best = max(rows(home, "search"), key=lambda row: float(row["val/f1_macro"]))
    cut_off = home / "outputs" / "search" / best["folder"] / "evaluations" / "test"
    cut_off.mkdir(parents=True)
    for _ in range(2):
        assert tune.main([*SEARCH, "test=true"]) == 0
    told = capsys.readouterr().out
    assert len(rows(home, "search")) == 3
    assert "the test part has been read before" in told
    (judged,) = (home / "outputs" / "search").glob("*/evaluations/*/metrics.json")
    assert judged.parents[2].name == best["folder"]


def test_other_pictures_are_not_taken_for_the_test_part(home: Path, tmp_path: Path) -> None:
    for name, data, split in (("new", {"root": "elsewhere"}, "test"), ("val", {"root": None}, "val")):
        folder = RunFolder(tmp_path / "evaluations" / name)
        folder.create()
        write_yaml(folder.request, {"data": data, "split": split})
        write_json(folder.metrics, {"test": {"f1_macro": 0.5}})
    RunFolder(tmp_path / "evaluations" / "test").create()
    assert evaluations_on_test(tmp_path) == []
    own = RunFolder(tmp_path / "evaluations" / "test-2")
    own.create()
    write_yaml(own.request, {"data": {"root": None}, "split": "test"})
    write_json(own.metrics, {"test": {"f1_macro": 0.5}})
    assert [found.path for found in evaluations_on_test(tmp_path)] == [own.path]


@pytest.mark.slow
def test_another_best_later_does_not_read_the_test_part_again(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    judged = [argument.replace("run_id=search", "run_id=judged") for argument in SEARCH if "trials" not in argument]
    figures = iter([0.2, 0.9])

    def trained(request: dict[str, Any], **_: Any) -> float:
        train_run({**request, "resume": None})
        return next(figures)

    monkeypatch.setattr("animeid.tuning.trials.train", trained)
    assert tune.main([*judged, "test=true", "trials=1"]) == 0
    assert tune.main([*judged, "test=true", "trials=2"]) == 0
    told = capsys.readouterr().out
    (evaluated,) = (home / "outputs" / "judged").glob("*/evaluations/test")
    assert evaluated.parents[1].name == "0"
    assert "it is not read again for outputs/judged/1, which is the best now" in told


def test_the_command_of_the_best_makes_its_figure_again(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert tune.main(list(SEARCH)) == 0
    (line,) = (
        line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("python -m animeid.train")
    )
    arguments = shlex.split(line)[3:]
    assert not any(argument.startswith(("space", "trials", "run_id")) for argument in arguments)
    assert train.main([*arguments, "run_id=again"]) == 0
    again = json.loads(RunFolder(home / "outputs" / "again").metrics.read_text(encoding="utf-8"))["val"]["f1_macro"]
    best = max(float(row["val/f1_macro"]) for row in rows(home, "search"))
    assert again == pytest.approx(best, abs=1e-6)


def test_the_page_shows_the_search(home: Path) -> None:
    page = (home / "outputs" / "search" / "search.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 2
    assert "python -m animeid.train" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_trial_below_the_others_is_cut_short() -> None:
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(1, 0))
    trainer = type("Trainer", (), {"sanity_checking": False, "callback_metrics": {}, "current_epoch": 0})()
    good, bad = study.ask(), study.ask()
    trainer.callback_metrics = {MONITORED: 0.9}
    Reporting(good).on_validation_end(trainer, None)
    study.tell(good, 0.9)
    trainer.callback_metrics = {MONITORED: 0.1}
    with pytest.raises(optuna.TrialPruned, match="after epoch 1"):
        Reporting(bad).on_validation_end(trainer, None)
    assert study.trials[1].intermediate_values == {0: 0.1}


def test_settings_that_cannot_be_trained_do_not_stop_the_search(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    space = ["space=none", "space.trainer.precision=[16-mixed,32-true]", "method=grid"]
    assert (
        tune.main(["data.root=pictures", *[one for one in RUN if "precision" not in one], *space, "run_id=some"]) == 0
    )
    assert [row["state"] for row in rows(home, "some")] == ["fail", "complete"]
    assert "trial 0 failed: trainer.precision=16-mixed is for GPUs" in capsys.readouterr().out


def test_settings_that_do_not_go_together_fail_alone(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    card = home / "cards" / "space" / "heads.yaml"
    card.parent.mkdir(parents=True)
    card.write_text("head: [arcface, linear]\nhead.dropout: [0.1]\n")
    own = ["space=heads", "method=grid", "run_id=together"]
    assert tune.main(["--config-dir=cards", "data.root=pictures", *RUN, *own]) == 0
    assert [row["state"] for row in rows(home, "together")] == ["fail", "complete"]
    told = capsys.readouterr().out
    assert "trial 0 failed: " in told
    assert f"python -m animeid.train --config-dir={card.parents[1]} data.root=pictures" in told


@pytest.mark.slow
def test_two_processes_share_the_work(home: Path) -> None:
    command = [sys.executable, "-m", "animeid.tune", *[*SEARCH, "trials=4", "run_id=shared"]]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(900) for process in both] == [0, 0]
    study = optuna.load_study(study_name="animeid", storage=f"sqlite:///{home}/outputs/shared/trials.db")
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4
    assert sorted(trial.user_attrs[FOLDER] for trial in study.trials) == [0, 1, 2, 3]
    assert len({trial.params["optimizer.lr"] for trial in study.trials}) == 4


def test_the_sweep_for_wandb_has_the_same_space(home: Path, monkeypatch) -> None:
    monkeypatch.chdir(home)
    assert tune.main([*SEARCH, "output=sweep.yaml"]) == 0
    sweep = yaml.safe_load((home / "sweep.yaml").read_text(encoding="utf-8"))
    assert sweep["method"] == "bayes"
    assert sweep["run_cap"] == 3
    parameters = sweep["parameters"]
    assert parameters["loss"] == {"values": ["cross_entropy", "focal"]}
    assert parameters["optimizer.lr"] == {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1}
    assert parameters["data.root"] == {"value": "pictures"}
    fixed = [f"{key}={found['value']}" for key, found in parameters.items() if "value" in found]
    request = compose("train", [*fixed, "loss=focal", "optimizer.lr=0.01"])
    assert request["trainer"]["max_epochs"] == 1
    assert request["optimizer"]["lr"] == 0.01


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["space=none"], "the search space is empty"),
        (["space=none", "space.optimiser.lr=[0.1]"], "space.optimiser.lr cannot try 0.1"),
        (["space=none", "space.loss=[focal,vocal]"], "no loss card is called 'vocal'"),
        (["space=none", "space.optimizer.lr={low: -1.0, high: 0.1}"], "space.optimizer.lr cannot try -1.0"),
        (["space=nothing"], "nothing"),
        (["method=genetic"], "method"),
        (["trials=0"], "trials"),
        (["method=grid", "space=default"], "give its range a step"),
        (["run_id=search", *SPACE, "trainer.max_epochs=2"], "is a search with another arguments"),
        (["run_id=taken", *SPACE], "is no search's folder"),
        (["-m", *SPACE, "seed=1,2"], "leave out -m"),
    ],
)
def test_what_is_no_search(arguments: list[str], sentence: str, home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    (home / "outputs" / "taken").mkdir(exist_ok=True)
    (home / "outputs" / "taken" / "file").write_text("mine")
    assert tune.main(["data.root=pictures", *RUN, "run_id=refused", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not (home / "outputs" / "refused" / "0").exists()
