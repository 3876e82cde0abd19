"""Class weights that follow validation recall."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score

from animeid import evaluate, train
from animeid.losses.functional import cross_entropy
from animeid.losses.online_class_balance import OnlineClassBalanceLoss
from animeid.metrics.collection import ClassRecall
from animeid.runs.folder import RunFolder
from animeid.types import LabelStats, ModelOutput
from tests.small_runs import QUICK, class_folders

pytestmark = pytest.mark.usefixtures("without_reports")

STATS = LabelStats.from_counts(("a", "b", "c", "d"), torch.tensor([50, 30, 15, 5]))


def loss(**options) -> OnlineClassBalanceLoss:
    return OnlineClassBalanceLoss(STATS, **options)


def terms(found: OnlineClassBalanceLoss, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return found(ModelOutput(logits, logits), {"target": target})["cross_entropy"]


def test_it_begins_as_cross_entropy() -> None:
    logits, target = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, -1, 0])
    torch.testing.assert_close(terms(loss(), logits, target), cross_entropy(logits, target))


def test_weights_are_what_is_missed_within_a_bound() -> None:
    found = loss(momentum=0.25, bound=2.0)
    recall = torch.tensor([0.95, 0.5, math.nan, 0.0])
    found.observe_recall(recall)
    missed = [0.05, 0.5, None, 1.0]
    mean = (0.05 + 0.5 + 1.0) / 3
    relative = [1.0 if one is None else min(max(one / mean, 0.5), 2.0) for one in missed]
    mixed = np.array([0.25 + 0.75 * one for one in relative])
    np.testing.assert_allclose(found.weight.numpy(), mixed, rtol=1e-6)
    logits, target = torch.randn(4, 4), torch.arange(4)
    for prior in (STATS.prior, torch.full((4,), 0.25, dtype=torch.float64)):
        found.set_prior(prior)
        scaled = torch.from_numpy(mixed / (mixed * prior.numpy()).sum()).float()
        torch.testing.assert_close(terms(found, logits, target), scaled * cross_entropy(logits, target))


def test_a_class_that_cannot_be_learnt_does_not_take_over() -> None:
    found = loss(bound=3.0)
    for _ in range(50):
        found.observe_recall(torch.tensor([1.0, 1.0, 1.0, 0.0]))
    assert found.weight.max() / found.weight.min() <= 9 + 1e-4


def test_where_nothing_is_missed_or_judged_nothing_is_lifted() -> None:
    found = loss()
    for recall in (torch.ones(4), torch.full((4,), math.nan)):
        found.observe_recall(recall)
    assert torch.equal(found.weight, torch.ones(4))


def test_weights_are_let_go_once_nothing_is_missed() -> None:
    found = loss(momentum=0.5)
    found.observe_recall(torch.tensor([0.9, 0.9, 0.5, 0.1]))
    before = found.weight.clone()
    found.observe_recall(torch.full((4,), math.nan))
    assert torch.equal(found.weight, before)
    found.observe_recall(torch.tensor([1.0, 1.0, math.nan, 1.0]))
    torch.testing.assert_close(found.weight, 0.5 * before + 0.5)


def test_recall_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    logits, target = torch.from_numpy(random.normal(size=(40, 4))).float(), torch.from_numpy(random.integers(0, 3, 40))
    metric = ClassRecall(4)
    for part in (slice(0, 17), slice(17, 40)):
        metric.update(logits[part], target[part])
    expected = recall_score(target, logits.argmax(1), average=None, labels=range(3))
    np.testing.assert_allclose(metric.compute().numpy()[:3], expected, rtol=1e-6)
    assert metric.compute()[3].isnan()


def test_a_run_follows_its_validation_part(tmp_path, monkeypatch, capsys) -> None:
    class_folders(tmp_path / "pictures", {"many": 20, "少": 10}, coarse=4)
    monkeypatch.chdir(tmp_path)
    run = ["data.root=pictures", *QUICK, "trainer.max_epochs=2", "logger=none"]
    arguments = [*run, "data.val_ratio=0.3", "loss=online_class_balance"]
    assert train.main([*arguments, "run_id=followed", "keep=all"]) == 0
    state = torch.load(RunFolder(tmp_path / "outputs" / "followed").last, weights_only=True)["state_dict"]
    assert not torch.equal(state["loss.weight"], torch.ones(2))
    judged = RunFolder(tmp_path / "outputs" / "followed")
    assert evaluate.main([f"run={judged.path}", "split=val"]) == 0
    again = RunFolder(judged.path / "evaluations" / "val")
    losses = [json.loads(folder.metrics.read_text())["val"]["loss"] for folder in (judged, again)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4), "with the weights that its best epoch had"
    assert train.main([*run, "data.val_ratio=0", "loss=online_class_balance", "run_id=refused"]) == 2
    assert "follows the recall of validation" in capsys.readouterr().err
