"""Figures of counts against scikit-learn, torchmetrics and naive versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from torchmetrics.functional import classification as tm

from animeid.metrics import functional as F
from animeid.metrics.sums import sums_of_logits


def sample(classes: int, pictures: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    targets = generator.integers(classes, size=pictures)
    logits = generator.normal(size=(pictures, classes)).astype(np.float32) * 2
    logits[np.arange(pictures), targets] += 2
    return logits, targets


def counts_of(predicted: np.ndarray, targets: np.ndarray, classes: int) -> F.ClassCounts:
    matrix = sk.confusion_matrix(targets, predicted, labels=range(classes))
    return F.ClassCounts(matrix.sum(1), matrix.sum(0), matrix.diagonal())


@pytest.mark.parametrize("classes", [2, 7, 60])
def test_class_figures_equal_sklearns(classes: int) -> None:
    logits, targets = sample(classes)
    predicted = logits.argmax(1)
    counts = counts_of(predicted, targets, classes)
    present = counts.support > 0
    reference = sk.precision_recall_fscore_support(targets, predicted, labels=range(classes), zero_division=0)
    for ours, theirs in zip((F.precision, F.recall, F.f1), reference[:3], strict=True):
        np.testing.assert_allclose(ours(counts)[present], theirs[present])
    np.testing.assert_allclose(F.micro(counts), sk.accuracy_score(targets, predicted))
    np.testing.assert_allclose(F.macro(F.recall(counts)), sk.balanced_accuracy_score(targets, predicted))
    weighted = sk.f1_score(targets, predicted, average="weighted", zero_division=0)
    np.testing.assert_allclose(F.weighted(F.f1(counts), counts.support), weighted)


@pytest.mark.parametrize("classes", [2, 7, 60])
def test_class_figures_equal_torchmetrics(classes: int) -> None:
    logits, targets = sample(classes, 3000)
    counts = counts_of(logits.argmax(1), targets, classes)
    tensors = torch.from_numpy(logits), torch.from_numpy(targets)
    pairs = (
        (F.micro(counts), tm.multiclass_accuracy(*tensors, classes, average="micro")),
        (F.macro(F.recall(counts)), tm.multiclass_accuracy(*tensors, classes, average="macro")),
        (F.macro(F.f1(counts)), tm.multiclass_f1_score(*tensors, classes, average="macro")),
        (F.precision(counts), tm.multiclass_precision(*tensors, classes, average=None)),
    )
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5)


def test_a_class_without_pictures_is_not_averaged_but_its_predictions_cost_the_others() -> None:
    """Class 2 has no pictures and takes one of class 1's: torchmetrics' macro would count it as 0."""
    targets, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    counts = counts_of(predicted, targets, 3)
    assert F.macro(F.recall(counts)) == pytest.approx((1 + 0.5) / 2)
    assert F.macro(F.f1(counts)) == pytest.approx((1 + 2 / 3) / 2)
    theirs = tm.multiclass_accuracy(torch.from_numpy(predicted), torch.from_numpy(targets), 3, average="macro")
    assert theirs.item() == pytest.approx(0.5)
    assert np.isnan(F.recall(counts)[2])
    assert np.isnan(F.precision(counts)[2])


def test_false_positives_from_other_classes_count_in_f1() -> None:
    targets, predicted = np.array([0, 0, 0, 1]), np.array([1, 0, 0, 1])
    np.testing.assert_allclose(F.f1(counts_of(predicted, targets, 2)), [0.8, 2 / 3])


def test_figures_of_nothing_do_not_exist() -> None:
    nothing = np.zeros(3)
    counts = F.ClassCounts(nothing, nothing, nothing)
    assert np.isnan(F.micro(counts))
    assert np.isnan(F.macro(F.f1(counts)))


@pytest.mark.parametrize("classes", [3, 20])
def test_ece_equals_torchmetrics(classes: int) -> None:
    logits, targets = sample(classes, 2000)
    sums = sums_of_logits(logits, targets, np.arange(2000), np.zeros(2000))
    ours = F.expected_calibration_error(*sums.layout.bins(sums.total), np.array(2000))
    theirs = tm.multiclass_calibration_error(torch.from_numpy(logits), torch.from_numpy(targets), classes, n_bins=15)
    assert float(ours) == pytest.approx(theirs.item(), abs=1e-5)


def test_bins_are_open_below_and_closed_above() -> None:
    edges = np.array([1e-9, 1 / 15, 1 / 15 + 1e-9, 0.5, 1.0])
    assert F.calibration_bin(edges).tolist() == [0, 0, 1, 7, 14]


def test_nll_and_top5_equal_references() -> None:
    logits, targets = sample(9)
    tensors = torch.from_numpy(logits), torch.from_numpy(targets)
    reference = torch.nn.functional.cross_entropy(*tensors, reduction="none")
    np.testing.assert_allclose(F.negative_log_likelihood(logits, targets), reference.numpy(), rtol=1e-5, atol=1e-6)
    top5 = tm.multiclass_accuracy(*tensors, 9, top_k=5, average="micro")
    assert F.in_top_k(logits, targets).mean() == pytest.approx(top5.item())
    assert F.in_top_k(logits, targets).mean() == pytest.approx(sk.top_k_accuracy_score(targets, logits, k=5))


def test_equal_logits_rank_in_class_order() -> None:
    """Seven equal logits: only five classes are among the five likeliest."""
    assert F.in_top_k(np.zeros((7, 7)), np.arange(7)).tolist() == [True] * 5 + [False] * 2


def test_nll_of_great_logits_is_finite() -> None:
    assert F.negative_log_likelihood(np.array([[1e4, -1e4]], np.float32), np.array([1])).tolist() == [2e4]
