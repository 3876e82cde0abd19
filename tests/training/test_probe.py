"""`stage=probe` as a user starts it: a run like any other, whose head is logistic regression without the prior."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from animeid import evaluate, train
from animeid.assembly.model import build_head
from animeid.config.compose import compose
from animeid.engine import embedding
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, trained_home

PENALTY = 0.05
PROBE = (
    *(word for word in QUICK if word != "data.cache=off"),
    *("stage=probe", f"stage.penalty={PENALTY}", "data.cache=cache", "data.root=pictures", "logger=none"),
    *("data.val_ratio=0.25", "data.test_ratio=0.25", "trainer.precision=32-true"),
)

OTHER = tuple(word for word in PROBE if not word.startswith("stage.penalty"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose head is fitted to the embeddings of random weights."""
    return trained_home(tmp_path_factory, {"many": 40, "少": 12, "third": 20}, (train.main, (*PROBE, "run_id=probe")))


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(home)
    return RunFolder(Path("outputs/probe"))


def test_the_head_is_logistic_regression_without_the_prior(run: RunFolder) -> None:
    table, embeddings, logits = pd.read_parquet(run.predictions), np.load(run.embeddings), np.load(run.logits)
    mine = (table["split"] == "train").to_numpy()
    vectors, targets = embeddings[mine].astype(np.float64), table.loc[mine, "target"].to_numpy()
    spread = np.sqrt(((vectors - vectors.mean(0)) ** 2).mean())
    scaled = (embeddings - vectors.mean(0)) / spread
    theirs = LogisticRegression(C=1 / (PENALTY * len(targets)), tol=1e-9, max_iter=5000).fit(scaled[mine], targets)
    log_prior = np.log(np.bincount(targets) / len(targets))
    expected = scaled @ theirs.coef_.T + theirs.intercept_ - log_prior
    centred = [values - values.mean(1, keepdims=True) for values in (logits, expected)]
    np.testing.assert_allclose(*centred, atol=2e-3)
    assert (logits.argmax(1) == expected.argmax(1)).all()


def test_it_is_a_run_like_any_other(run: RunFolder) -> None:
    assert evaluate.main([f"run={run.path}", "trainer.precision=32-true"]) == 0
    (again,) = (run.path / "evaluations").iterdir()
    losses = [json.loads(RunFolder(path).metrics.read_text())["test"]["loss"] for path in (run.path, again)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    state = torch.load(run.best, weights_only=True)["state_dict"]
    weight, bias = (state[f"model.head.linear.{name}"].numpy() for name in ("weight", "bias"))
    np.testing.assert_allclose(np.load(run.logits), np.load(run.embeddings) @ weight.T + bias, atol=1e-4)
    assert json.loads(run.metrics.read_text())["cost"]["train_s"] > 0
    assert "Nothing was trained: the head was fitted to embeddings." in run.report.read_text(encoding="utf-8")


def test_a_second_one_computes_no_embedding_again(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "predict_each", None)
    assert train.main([*OTHER, "stage.penalty=0.5", "run_id=second"]) == 0
    second = RunFolder(Path("outputs/second"))
    np.testing.assert_array_equal(np.load(second.embeddings), np.load(run.embeddings))
    assert not np.allclose(np.load(second.logits), np.load(run.logits))


def test_a_head_over_stages_has_embeddings_of_its_own(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the backbone are kept beside them, and are none of its."""
    assert train.main([*PROBE, "head=multi_stage", "run_id=stages"]) == 0
    stages = RunFolder(Path("outputs/stages"))
    assert np.load(stages.embeddings).shape[1] > np.load(run.embeddings).shape[1]
    monkeypatch.setattr(embedding, "predict_each", None)
    assert train.main([*OTHER, "stage.penalty=0.5", "head=multi_stage", "run_id=again"]) == 0
    np.testing.assert_array_equal(np.load(RunFolder(Path("outputs/again")).embeddings), np.load(stages.embeddings))


def test_embeddings_are_kept_by_all_that_makes_them() -> None:
    def maker(card: str, seed: int, *overrides: str) -> str:
        torch.manual_seed(0)
        backbone = TimmBackbone("test_resnet", (32, 32), pretrained=False)
        torch.manual_seed(seed)
        request = compose("train", [f"head={card}", *overrides])["head"]
        return embedding.digest_of(nn.Identity(), Classifier(backbone, build_head(request, backbone, 3)), request)

    assert maker("linear", 0) == maker("linear", 1) == maker("cosine", 0), "class vectors make no embedding"
    assert maker("linear", 0) == maker("linear", 0, "head.dropout=0.5")
    assert maker("multi_stage", 0) == maker("multi_stage", 1) != maker("linear", 0)
    assert maker("multi_stage", 0) == maker("multi_stage", 0, "head.dropout=0.5")
    assert maker("multi_stage", 0, "head.indices=[0]") != maker("multi_stage", 0)
    assert maker("fusion", 0) != maker("fusion", 1), "its projections do"
    heads = [maker("transformer", 0, f"head.heads={number}") for number in (4, 8)]
    assert heads[0] != heads[1], "no layer's name tells how many there are"


def test_quick_sees_several_stages() -> None:
    assert compose("train", ["effort=quick"])["head"]["_target_"].endswith(".MultiStageHead")
    assert compose("train", ["effort=quick", "head=linear"])["head"]["_target_"].endswith(".LinearHead")


def test_a_head_that_cannot_be_fitted_is_refused_before_pictures_are_embedded(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedding.Embedder, "of", None)
    assert train.main([*PROBE, "head=arcface", "run_id=arcface"]) == 2
    assert "stage=probe needs a linear head, and ArcFaceHead is none: take head=linear" in capsys.readouterr().err


def test_it_takes_the_backbone_of_a_run(run: RunFolder) -> None:
    assert train.main(["stage=probe", f"from_run={run.path}", "stage.penalty=0.5", "logger=none", "run_id=after"]) == 0
    both = (run, RunFolder(Path("outputs/after")))
    first, after = (torch.load(one.best, weights_only=True)["state_dict"] for one in both)
    assert all(torch.equal(first[name], after[name]) for name in first if "backbone" in name)
    assert not torch.equal(first["model.head.linear.weight"], after["model.head.linear.weight"])


def test_several_processes_are_refused(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main([*PROBE, "trainer.devices=2", "run_id=two"]) == 2
    assert "stage=probe fits a head in one process: take trainer.devices=1" in capsys.readouterr().err


def test_quick_insists_on_published_weights(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [word for word in PROBE if not word.startswith(("recipe", "model", "stage"))]
    assert train.main([*arguments, "effort=quick", "model.name=test_resnet", "run_id=none"]) == 2
    assert "model.pretrained=true, but the published weights of test_resnet cannot be had" in capsys.readouterr().err


BEGUN = tuple(word for word in OTHER if word != "stage=probe")


def test_training_may_begin_with_that_head(run: RunFolder) -> None:
    begins = (*BEGUN, "head_init=fitted", f"head_init.penalty={PENALTY}", "loss=focal", "optimizer.lr=1e-9")
    assert train.main([*begins, "trainer.max_epochs=1", "run_id=begun"]) == 0
    begun, probe = (torch.load(folder.best, weights_only=True)["state_dict"] for folder in (begun_run(), run))
    for name in ("weight", "bias"):
        key = f"model.head.linear.{name}"
        torch.testing.assert_close(begun[key], probe[key], atol=1e-5, rtol=1e-4)
    logits, embeddings = np.load(begun_run().logits), np.load(begun_run().embeddings)
    weight, bias = (begun[f"model.head.linear.{name}"].numpy() for name in ("weight", "bias"))
    np.testing.assert_allclose(logits, embeddings @ weight.T + bias, atol=1e-4)
    assert not np.allclose(embeddings, np.load(run.embeddings)), "its batch statistics are those of training"


def test_what_is_trained_does_not_hang_on_whose_embeddings_the_head_was_fitted_to(run: RunFolder) -> None:
    """Computing them puts all in evaluation: batch norms would keep still, where those that were found leave them."""
    asked = [word for word in BEGUN if not word.startswith("data.cache")]
    for cache, name in (("other", "computed"), ("other", "found")):
        words = (*asked, f"data.cache={cache}", "head_init=fitted", "trainer.max_epochs=2", f"run_id={name}")
        assert train.main(list(words)) == 0
    computed, found = (
        torch.load(f"outputs/{one}/checkpoints/best.ckpt", weights_only=True)["state_dict"]
        for one in ("computed", "found")
    )
    assert all(torch.equal(computed[name], found[name]) for name in computed)
    loaded = torch.load(run.best, weights_only=True)["state_dict"]
    assert any("running_mean" in name and not torch.equal(loaded[name], found[name]) for name in loaded)


def begun_run() -> RunFolder:
    return RunFolder(Path("outputs/begun"))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("head=cosine",), "head_init=fitted needs a linear head, and CosineHead is none: take head=linear"),
        (("stage=probe",), "head_init=fitted is for a training of its own: leave it out, or stage"),
    ],
)
@pytest.mark.usefixtures("run")
def test_a_head_that_cannot_be_fitted_is_told(
    asked: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([*BEGUN, "head_init=fitted", *asked, "run_id=refused"]) == 2
    assert told in capsys.readouterr().err
    assert not Path("outputs/refused").exists()
