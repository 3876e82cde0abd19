"""Suspected labels against cleanlab, by the paper's authors, and against the paper's definition."""

from __future__ import annotations

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from scipy.special import softmax

from animeid.metrics.label_errors import suspects


def mislabelled(classes: int, pictures: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of a good model, targets of which some 10 % were changed, and which those are."""
    generator = np.random.default_rng(seed)
    truth = generator.permutation(np.arange(pictures) % classes)
    logits = generator.normal(size=(pictures, classes))
    logits[np.arange(pictures), truth] += 4
    wrong = generator.random(pictures) < 0.1
    return logits, np.where(wrong, (truth + 1) % classes, truth), wrong


def naive(logits: np.ndarray, targets: np.ndarray) -> list[tuple[int, int, int, float]]:
    """Northcutt 2021, equations 1 and 2, picture by picture."""
    shares = softmax(logits, axis=1)
    thresholds = {c: shares[targets == c, c].mean() for c in set(targets[targets >= 0].tolist())}
    found = []
    for position, (row, target) in enumerate(zip(shares, targets.tolist(), strict=True)):
        confident = [c for c, least in thresholds.items() if row[c] >= least - 1e-9]
        if target < 0 or not confident:
            continue
        guess = max(confident, key=lambda c: row[c])
        if guess != target and row[guess] > row[target]:
            found.append((position, target, guess, row[guess] - row[target]))
    return sorted(found, key=lambda one: -one[3])


@pytest.mark.parametrize("classes", [2, 5, 20])
def test_suspects_equal_cleanlabs(classes: int) -> None:
    logits, targets, _ = mislabelled(classes)
    reference = find_label_issues(
        targets, softmax(logits, axis=1), filter_by="confident_learning", return_indices_ranked_by="normalized_margin"
    )
    found = suspects(logits, targets)
    assert found["position"].tolist() == reference.tolist()
    assert len(found) > 20


@pytest.mark.parametrize("seed", range(5))
def test_suspects_equal_the_papers_definition(seed: int) -> None:
    """Also where the likeliest class is not a confident one, pictures have no class, and a class has no pictures."""
    generator = np.random.default_rng(seed)
    logits = 1.5 * generator.normal(size=(300, 8)) + np.linspace(0, 2, 8)  # thresholds that differ
    targets = generator.integers(-1, 7, size=300)
    found = suspects(logits.astype(np.float32), targets)
    expected = naive(logits.astype(np.float32).astype(np.float64), targets)
    assert [row[:3] for row in found.itertuples(index=False)] == [row[:3] for row in expected]
    np.testing.assert_allclose(found["margin"], [row[3] for row in expected])
    assert len(found) > 20
    assert 7 not in set(found["suggested"])


def test_changed_labels_are_found_and_their_class_is_suggested() -> None:
    logits, targets, wrong = mislabelled(5)
    found = suspects(logits, targets)
    assert wrong[found["position"][:30]].all()
    assert (found["suggested"] == (found["target"] - 1) % 5)[:30].all()
    assert wrong[found["position"]].sum() > 0.7 * wrong.sum()


def test_nothing_is_suspected_of_nothing() -> None:
    for targets in (np.zeros(0, int), np.full(4, -1)):
        found = suspects(np.zeros((len(targets), 3)), targets)
        assert (len(found), list(found.columns)) == (0, ["position", "target", "suggested", "margin"])
