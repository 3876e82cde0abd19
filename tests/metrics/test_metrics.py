"""Figures against scikit-learn and torchmetrics, intervals against simulation."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_recall_fscore_support, top_k_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from torchmetrics.functional.classification import multiclass_calibration_error

from animeid.errors import InputError
from animeid.metrics.baselines import majority, nearest_histogram
from animeid.metrics.collection import build_collection
from animeid.metrics.evaluate import evaluate, evaluate_predictions
from animeid.metrics.table import summary_table
from animeid.types import LabelStats

CLASSES, PICTURES = 9, 400


def stats_of(counts: list[int] | None = None) -> LabelStats:
    counts = counts or [300, 200, 101, 100, 50, 20, 19, 5, 3]
    return LabelStats.from_counts(tuple(f"人{number}" for number in range(len(counts))), torch.tensor(counts))


@pytest.fixture(scope="module")
def part() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, targets and groups; class 8 has no picture here but is predicted."""
    random = np.random.default_rng(0)
    targets = random.integers(0, CLASSES - 1, PICTURES)
    logits = random.normal(size=(PICTURES, CLASSES)).astype(np.float32)
    logits[np.arange(PICTURES), targets] += 1.2
    return logits, targets, np.array([f"g{number}" for number in random.integers(0, 150, PICTURES)])


def test_figures_equal_scikit_learns(part: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    logits, targets, groups = part
    figures = evaluate(logits, targets, groups, stats_of(), None)
    predicted = logits.argmax(1)
    present = np.unique(targets)
    precision, recall, f1, support = precision_recall_fscore_support(
        targets, predicted, labels=present, zero_division=0
    )
    probabilities = torch.tensor(logits).softmax(1)
    assert (predicted == 8).any()
    assert figures["acc_micro"] == pytest.approx(accuracy_score(targets, predicted))
    assert figures["acc_macro"] == pytest.approx(recall.mean())
    assert figures["f1_macro"] == pytest.approx(f1_score(targets, predicted, labels=present, average="macro"))
    assert figures["f1_weighted"] == pytest.approx(f1_score(targets, predicted, average="weighted"))
    assert figures["top5"] == pytest.approx(top_k_accuracy_score(targets, logits, k=5, labels=range(CLASSES)))
    assert figures["nll"] == pytest.approx(log_loss(targets, probabilities.double(), labels=range(CLASSES)), rel=1e-5)
    ece = multiclass_calibration_error(probabilities, torch.tensor(targets), CLASSES, n_bins=15)
    assert figures["ece"] == pytest.approx(ece.item(), abs=1e-6)
    rows = figures["per_class"]
    assert [rows[target]["precision"] for target in present] == pytest.approx(precision)
    assert [rows[target]["recall"] for target in present] == pytest.approx(recall)
    assert [rows[target]["f1"] for target in present] == pytest.approx(f1)
    assert [rows[target]["support"] for target in present] == support.tolist()
    assert rows[8]["f1"] is None
    assert figures["many/acc_macro"] == pytest.approx(recall[:3].mean())
    assert figures["medium/acc_macro"] == pytest.approx(recall[3:6].mean())
    assert figures["few/acc_macro"] == pytest.approx(recall[6:].mean())
    json.dumps(figures, allow_nan=False)


def test_pictures_of_no_class_do_not_count(part: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    logits, targets, groups = part
    before = evaluate(logits, targets, groups, stats_of(), None)
    strangers = np.concatenate([targets, [-1] * 50])
    more = evaluate(
        np.concatenate([logits, logits[:50]]), strangers, np.concatenate([groups, groups[:50]]), stats_of(), None
    )
    assert more["unknown"] == 50
    assert more["f1_macro"] == before["f1_macro"]
    assert more["acc_micro_ci"] == before["acc_micro_ci"]


def test_an_empty_group_of_classes_is_null_and_small_classes_have_no_interval(
    part: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    logits, targets, _ = part
    figures = evaluate(logits, targets, targets.astype(str), stats_of([200] * CLASSES), None)
    assert figures["few/acc_macro"] is None
    assert figures["few/acc_macro_ci"] is None
    assert all(row["recall_ci"] is None and row["groups"] <= 1 for row in figures["per_class"])


def test_answers_that_are_not_finite_are_refused(part: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    logits, targets, groups = part
    with pytest.raises(InputError, match="not finite"):
        evaluate(np.where(logits > 3, np.nan, logits), targets, groups, stats_of(), None)


def test_figures_of_epochs_equal_those_of_the_whole(part: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Online, batch by batch, with pictures of no class among them."""
    logits, targets, groups = part
    collection = build_collection(CLASSES)
    with_strangers = np.concatenate([targets, [-1] * 7])
    answers = np.concatenate([logits, logits[:7]])
    for start in range(0, len(answers), 64):
        chunk = slice(start, start + 64)
        collection.update(torch.tensor(answers[chunk]), torch.tensor(with_strangers[chunk]))
    whole = evaluate(logits, targets, groups, stats_of(), None)
    for name, value in collection.compute().items():
        assert value.item() == pytest.approx(whole[name], abs=1e-6)


def test_the_nearest_histogram_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    train, test = (random.dirichlet(np.ones(12), count).astype(np.float32) for count in (80, 50))
    targets = random.integers(0, 4, 80)

    def apart(first: np.ndarray, second: np.ndarray) -> float:
        return -float(np.sqrt(first.astype(float) * second).sum())

    reference = KNeighborsClassifier(1, metric=apart, algorithm="brute").fit(train, targets).predict(test)
    assert nearest_histogram(train, targets, test).tolist() == reference.tolist()


def test_the_majority_baseline_names_the_largest_class() -> None:
    assert majority(np.array([2, 2, 1, -1, -1, -1]), 3).tolist() == [2, 2, 2]
    figures = evaluate_predictions(
        np.zeros(6, int), np.array([0, 0, 0, 1, 2, 2]), np.arange(6).astype(str), stats_of([3, 2, 1])
    )
    assert figures["acc_macro"] == pytest.approx(1 / 3)
    assert figures["f1_macro"] == pytest.approx((2 * 3 / (3 + 6)) / 3)


def test_the_table_says_when_a_baseline_is_not_beaten() -> None:
    worse, better = {"f1_macro": 0.2, "support": 9, "groups": 9}, {"f1_macro": 0.3, "support": 9, "groups": 9}
    text = summary_table({"test": worse, "val": None, "baselines": {"test": {"colour_histogram": better}}})
    assert "does not beat the baseline colour histogram" in text
    assert "does not beat" not in summary_table({"test": better, "baselines": {"test": {"colour_histogram": worse}}})
    best = {**better, "f1_macro": 1.0}
    text = summary_table({"test": best, "val": None, "baselines": {"test": {"colour_histogram": best}}})
    assert "On test the baseline colour histogram names every picture rightly, too" in text
    assert "has not learnt" not in text


Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]]
HIT = np.array([0.9, 0.7, 0.5, 0.8])


def grouped(random: np.random.Generator, groups: int = 60, size: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups of pictures that stand or fall together: all of a group are right, or all are wrong."""
    target = random.integers(0, 4, groups)
    right = random.random(groups) < HIT[target]
    predicted = np.where(right, target, (target + 1) % 4)
    return np.repeat(predicted, size), np.repeat(target, size), np.repeat(np.arange(groups), size).astype(str)


def coverage(rounds: int, name: str, truth: float, by_row: bool = False) -> float:
    """How often the 95 % interval holds the truth."""
    random = np.random.default_rng(7)
    held = 0
    for _ in range(rounds):
        predicted, targets, groups = grouped(random)
        if by_row:
            groups = np.arange(len(groups)).astype(str)
        low, high = evaluate_predictions(predicted, targets, groups, stats_of([30, 30, 30, 30]))[f"{name}_ci"]
        held += low <= truth <= high
    return held / rounds


def true_f1() -> float:
    """F1 of each class in an endless part: recall HIT, and false positives from the class before."""
    predicted = HIT + (1 - np.roll(HIT, 1))
    return float((2 * HIT / (1 + predicted)).mean())


def test_intervals_cover_grouped_data_and_those_of_pictures_would_not() -> None:
    assert coverage(120, "acc_micro", float(HIT.mean())) >= 0.9
    assert coverage(120, "acc_micro", float(HIT.mean()), by_row=True) < 0.75


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "truth"), [("acc_micro", HIT.mean()), ("acc_macro", HIT.mean()), ("f1_macro", true_f1())]
)
def test_95_percent_intervals_hold_the_truth_in_about_95_percent(name: str, truth: float) -> None:
    found = coverage(1000, name, float(truth))
    print(f"{name}: {found:.3f}")
    # Three standard errors of a share of 1,000 below 95 %; too wide is no virtue either.
    assert 0.95 - 0.021 <= found <= 0.985
