"""Ensembles: votes against naive counting, and the command on real runs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from animeid import ensemble, train
from animeid.inference.ensembling import cost_of_all, cost_of_each
from animeid.metrics.voting import majority, mean_probability
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, class_folders

pytestmark = pytest.mark.usefixtures("without_reports")

RUN = (*QUICK, "trainer.max_epochs=1", "data.val_ratio=0.25", "data.test_ratio=0.25")
PROBABILITIES = softmax(np.random.default_rng(0).normal(size=(3, 50, 4)) * 2, axis=2)


def test_the_mean_is_weighted() -> None:
    np.testing.assert_allclose(mean_probability(PROBABILITIES), sum(PROBABILITIES) / 3)
    expected = (0.5 * PROBABILITIES[0] + 2 * PROBABILITIES[1] + 0.5 * PROBABILITIES[2]) / 3
    np.testing.assert_allclose(mean_probability(PROBABILITIES, [0.5, 2.0, 0.5]), expected)


def test_the_majority_wins_and_probability_breaks_ties() -> None:
    found = majority(PROBABILITIES)
    np.testing.assert_allclose(found.sum(1), 1)
    ties = 0
    for picture in range(50):
        names = [int(model[picture].argmax()) for model in PROBABILITIES]
        most = max(map(names.count, names))
        best = [name for name in set(names) if names.count(name) == most]
        ties += len(best) > 1
        assert found[picture].argmax() == max(best, key=lambda name: PROBABILITIES[:, picture, name].sum())
    assert ties


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of one run, one of other classes, one with another split."""
    home = tmp_path_factory.mktemp("home")
    pictures = class_folders(home / "pictures", {"ミク": 16, "other": 12}, coarse=4)
    (home / "more").mkdir()
    class_folders(home / "more", {"ミク": 16, "third": 12}, coarse=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        jobs = {
            "a": ["seed=1"],
            "b": ["seed=2"],
            "split": ["data.split_seed=9"],
            "third": ["data.root=more"],
        }
        for name, arguments in jobs.items():
            assert train.main([f"data.root={pictures}", *RUN, f"run_id={name}", *arguments]) == 0
    return home


@pytest.mark.parametrize("vote", ["mean", "weighted", "majority"])
def test_runs_answer_together(vote: str, home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert ensemble.main(["runs=outputs/a:outputs/b", f"vote={vote}", f"run_id={vote}"]) == 0
    told = capsys.readouterr().out
    assert "all 2 together: f1_macro" in told
    assert "ms a picture in the place of" in told
    folder = RunFolder(home / "outputs" / vote)
    table = pd.read_parquet(folder.predictions)
    runs = [RunFolder(home / "outputs" / name) for name in "ab"]
    saved = [pd.read_parquet(run.predictions) for run in runs]
    test = [(one["split"] == "test").to_numpy() for one in saved]
    assert table["path"].tolist() == saved[0]["path"][test[0]].tolist()
    probabilities = np.stack([softmax(np.load(run.logits)[rows], axis=1) for run, rows in zip(runs, test, strict=True)])
    weights = [json.loads(run.metrics.read_text())["val"]["f1_macro"] for run in runs]
    expected = {
        "mean": mean_probability(probabilities),
        "weighted": mean_probability(probabilities, weights),
        "majority": majority(probabilities),
    }[vote]
    np.testing.assert_allclose(softmax(np.load(folder.logits), axis=1), expected, atol=1e-5)
    figures = json.loads(folder.metrics.read_text())["test"]
    right = table["predicted"] == table["label"]
    assert figures["acc_micro"] == pytest.approx(right.mean())
    latencies = [json.loads(run.metrics.read_text())["cost"]["latency_ms"] for run in (*runs, folder)]
    assert latencies[2] == pytest.approx(latencies[0] + latencies[1])
    given = [member["weight"] for member in json.loads((folder.path / "ensemble.json").read_text())]
    assert given == (weights if vote == "weighted" else [1.0, 1.0])


def saved_with(train_s: float, latency_ms: float, from_run: str | None = None, **earlier: float) -> FinishedRun:
    cost = {"train_s": train_s, "latency_ms": latency_ms, **earlier}
    return cast("FinishedRun", SimpleNamespace(metrics={"cost": cost}, plan={"from_run": from_run}))


def test_earlier_stages_are_paid_for_once() -> None:
    plain = [saved_with(10.0, 2.0), saved_with(20.0, 4.0)]
    assert cost_of_all(plain) == {"train_s": 30.0, "latency_ms": 6.0}
    assert cost_of_each(plain) == {"train_s": 30.0, "latency_ms": 3.0}
    stages = [
        saved_with(1.0, 2.0, "a", earlier_s=100.0),
        saved_with(2.0, 2.0, "b/../a", earlier_s=90.0),
        saved_with(3.0, 2.0, "b", earlier_s=50.0),
    ]
    assert cost_of_all([*stages, plain[0]]) == {"train_s": 16.0, "latency_ms": 8.0, "earlier_s": 150.0}


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ("outputs/a", "finds 1 finished run"),
        ("outputs/a:outputs/split", "judged on other test pictures"),
        ("outputs/a:outputs/third", "other"),
    ],
)
def test_runs_that_cannot_answer_together(runs: str, sentence: str, home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert ensemble.main([f"runs={runs}", "run_id=none"]) == 2
    assert sentence in capsys.readouterr().err
    assert not (home / "outputs" / "none").exists()
