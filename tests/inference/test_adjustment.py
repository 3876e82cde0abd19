"""Post-hoc logit adjustment: the mathematics, and what evaluate and predict do with it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import f1_score

from animeid import evaluate, predict, train
from animeid.config.compose import compose
from animeid.inference.adjustment import losses_of
from animeid.metrics.adjustment import TAUS, adjust, choose_tau, f1_macro
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, trained_home

pytestmark = pytest.mark.usefixtures("without_reports")

RUN = (*QUICK, "trainer.max_epochs=1", "data.val_ratio=0.3", "data.test_ratio=0.3")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, a run with plain cross entropy and one whose loss adjusts already."""
    commands = [
        (train.main, ["data.root=pictures", *RUN, f"loss={name}", f"run_id={name}"])
        for name in ("cross_entropy", "logit_adjustment")
    ]
    return trained_home(tmp_path_factory, {"many": 40, "少": 10}, *commands)


def test_it_is_what_the_loss_would_have_learnt() -> None:
    """A model that knows p(y|x) under the training prior answers the balanced p(y|x) (Menon 2021, equation 9)."""
    random = np.random.default_rng(0)
    likelihood, prior = random.random((20, 4)), np.array([0.7, 0.2, 0.07, 0.03])
    logits = np.log(likelihood * prior)
    balanced = likelihood / likelihood.sum(1, keepdims=True)
    np.testing.assert_allclose(softmax(adjust(logits, np.log(prior), 1.0), axis=1), balanced)


def test_f1_macro_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    logits, targets = random.normal(size=(40, 5)), random.integers(0, 4, 40)
    expected = f1_score(targets, logits.argmax(1), average="macro", labels=range(4))
    assert f1_macro(logits, targets) == pytest.approx(expected)


def test_the_tau_that_is_chosen_is_the_best() -> None:
    random = np.random.default_rng(2)
    log_prior, targets = np.log([0.9, 0.06, 0.04]), np.arange(60) % 3
    logits = 1.2 * np.eye(3)[targets] + random.normal(size=(60, 3)) * 0.5 + 0.8 * log_prior
    scores = {tau: f1_score(targets, (logits - tau * log_prior).argmax(1), average="macro") for tau in TAUS}
    found = choose_tau(np.vstack([logits, 99 * np.ones((1, 3))]), np.append(targets, -1), log_prior)
    assert found == next(tau for tau, score in scores.items() if score == max(scores.values()))
    assert 0 < found < 2
    with pytest.raises(ValueError, match="pictures that have a class"):
        choose_tau(logits, np.full(60, -1), log_prior)


@pytest.mark.parametrize("tau", ["1.0", "auto"])
def test_evaluate_answers_adjusted_logits(tau: str, home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    run = RunFolder(home / "outputs" / "cross_entropy")
    arguments = [f"run={run.path}", "split=val", "trainer.precision=32-true"]
    assert evaluate.main(arguments) == 0
    assert evaluate.main([*arguments, f"logit_adjustment={tau}"]) == 0
    told = capsys.readouterr().out
    assert "logits are adjusted by the training prior, tau" in told
    assert ("best on validation" in told) == (tau == "auto")
    folders = sorted((run.path / "evaluations").iterdir(), key=lambda path: path.stat().st_mtime)[-2:]
    plain, adjusted = (np.load(RunFolder(path).logits) for path in folders)
    chosen = float(told.partition("tau ")[2].split()[0].rstrip(","))
    counts = np.array([16.0, 4.0])
    np.testing.assert_allclose(adjusted, plain - chosen * np.log(counts / counts.sum()), atol=1e-4)
    assert RunFolder(folders[1]).request.read_text().count(f"logit_adjustment: {tau}") == 1


def test_the_prior_is_that_of_the_epoch_that_is_kept(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    run = RunFolder(home / "outputs" / "dynamic")
    arguments = ["data.root=pictures", *RUN, "trainer.max_epochs=2", "sampler=dynamic", "logger=none"]
    assert train.main([*arguments, "run_id=dynamic"]) == 0
    best = torch.load(run.best, weights_only=True)
    prior = np.array([[0.5, 0.5], [0.8, 0.2]])[best["epoch"]]
    answers = []
    for tau in ("0", "1"):
        assert evaluate.main([f"run={run.path}", "split=val", f"logit_adjustment={tau}"]) == 0
        last = max((run.path / "evaluations").iterdir(), key=lambda path: path.stat().st_mtime)
        answers.append(np.load(RunFolder(last).logits))
    np.testing.assert_allclose(answers[0] - answers[1], np.broadcast_to(np.log(prior), answers[0].shape), atol=1e-4)
    stage = ["stage=tau_norm", "from_run=outputs/dynamic", "logger=none", "run_id=lengths"]
    assert train.main([*stage, "trainer.accelerator=cpu"]) == 0
    shown = torch.load(RunFolder(home / "outputs" / "lengths").best, weights_only=True)["shown"]
    assert torch.equal(shown, best["shown"])
    del best["shown"]  # as versions before wrote it
    torch.save(best, run.best)
    capsys.readouterr()
    assert evaluate.main([f"run={run.path}", "split=val", "logit_adjustment=1"]) == 2
    assert "sampler's epochs differ" in capsys.readouterr().err


def test_predict_names_rare_classes_more_often(home: Path, monkeypatch) -> None:
    monkeypatch.chdir(home)
    rare = []
    for tau in ("0", "5"):
        arguments = ["run=outputs/cross_entropy", "input=pictures", f"output=tau{tau}.csv", f"logit_adjustment={tau}"]
        assert predict.main(arguments) == 0
        with Path(f"tau{tau}.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        rare.append(sum(float(row["probability_1"]) for row in rows if row["label_1"] == "少"))
    assert rare[1] > rare[0]


def test_losses_below_the_first_are_looked_at() -> None:
    found = losses_of(compose("train", ["loss=ldam_drw"])["loss"])
    assert [part["_target_"].rpartition(".")[2] for part in found] == ["ClassBalanced", "LDAMLoss"]


def test_a_loss_that_lifts_rare_classes_is_named(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert train.main(["data.root=pictures", *RUN, "loss=class_balanced", "run_id=weighted"]) == 0
    capsys.readouterr()
    assert evaluate.main(["run=outputs/weighted", "logit_adjustment=1"]) == 0
    assert "ClassBalancedLoss has lifted rare classes in training already" in capsys.readouterr().out


def test_what_trains_nothing_has_the_loss_of_the_run_that_it_changes(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    arguments = ["stage=tau_norm", "from_run=outputs/logit_adjustment", "logger=none", "run_id=normalised"]
    assert train.main([*arguments, "loss=cross_entropy"]) == 2
    assert "trains nothing, so that loss is that of the run in from_run" in capsys.readouterr().err
    assert train.main([*arguments, "trainer.accelerator=cpu"]) == 0
    assert "weights are trained" not in capsys.readouterr().out
    assert evaluate.main(["run=outputs/normalised", "logit_adjustment=1"]) == 2
    assert "twice" in capsys.readouterr().err


def test_nothing_is_left_to_do_where_the_loss_has_adjusted(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert evaluate.main(["run=outputs/logit_adjustment", "split=val", "logit_adjustment=auto"]) == 0
    assert "logits are left as they are: the loss of outputs/logit_adjustment has adjusted" in capsys.readouterr().out


def test_what_cannot_be_adjusted(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    with monkeypatch.context() as patch:
        patch.setattr("animeid.inference.predictor.build_model", None)  # it is told before anything is built
        assert evaluate.main(["run=outputs/logit_adjustment", "logit_adjustment=1"]) == 2
    assert "twice" in capsys.readouterr().err
    assert evaluate.main(["run=outputs/cross_entropy", "logit_adjustment=-1"]) == 2
    assert "logit_adjustment" in capsys.readouterr().err
