"""Confusions of few and of thousands of classes: pairs, the matrix that can be read, sentences, tiers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from animeid.metrics.functional import confusion_counts
from animeid.reporting.classes import TIER_SHOWN, class_rows, matrix_json, tiers
from animeid.reporting.confusions import (
    CONFUSED_SHOWN,
    WHOLE_UP_TO,
    Pair,
    most_confused,
    most_errors,
    shown_classes,
    similar_order,
)


def drawn_counts(classes: int, pictures: int, seed: int = 0) -> csr_array:
    random = np.random.default_rng(seed)
    targets = random.integers(classes, size=pictures)
    predicted = np.where(random.random(pictures) < 0.6, targets, random.integers(classes, size=pictures))
    return confusion_counts(targets, predicted, classes)


def many_classes() -> tuple[csr_array, list[tuple[int, int]]]:
    """1,500 classes, some mistakes anywhere, and 20 pairs that are often taken for one another."""
    random = np.random.default_rng(1)
    twins = [(int(a), int(b)) for a, b in random.permutation(1500)[:40].reshape(20, 2)]
    targets = np.repeat(np.arange(1500), 6)
    predicted = targets.copy()
    wrong = random.choice(len(targets), 400, replace=False)
    predicted[wrong] = random.integers(1500, size=400)
    for a, b in twins:
        predicted[np.flatnonzero(targets == a)[:4]] = b
        predicted[np.flatnonzero(targets == b)[:3]] = a
    return confusion_counts(targets, predicted, 1500), twins


@pytest.mark.parametrize("seed", range(3))
def test_the_most_confused_pairs_are_those_of_the_whole_matrix(seed: int) -> None:
    sparse = drawn_counts(12, 200, seed)
    counts = sparse.toarray()
    pairs = [Pair(a, b, counts[a, b], counts[b, a]) for a in range(12) for b in range(a + 1, 12)]
    expected = sorted((pair for pair in pairs if pair.forth + pair.back), key=lambda pair: -(pair.forth + pair.back))
    assert most_confused(sparse, 20) == expected[:20]
    assert all(type(pair.forth) is int for pair in most_confused(sparse, 20)), "for JSON"


def test_a_matrix_that_can_be_read_holds_every_class_in_the_order_of_similarity() -> None:
    counts = drawn_counts(50, 400)
    np.testing.assert_array_equal(shown_classes(counts), similar_order(counts.toarray()))
    assert len(shown_classes(drawn_counts(WHOLE_UP_TO, 3000))) == WHOLE_UP_TO


def test_of_many_classes_a_matrix_holds_those_that_are_confused_most() -> None:
    counts, twins = many_classes()
    shown = shown_classes(counts).tolist()
    assert len(shown) == len(set(shown)) == CONFUSED_SHOWN
    for a, b in twins:
        assert abs(shown.index(a) - shown.index(b)) == 1, "side by side"
    content = json.loads(matrix_json([f"c{number}" for number in range(1500)], counts))
    assert content["labels"] == [f"c{number}" for number in shown]
    assert content["support"] == [6] * CONFUSED_SHOWN
    dense = counts.toarray()[np.ix_(shown, shown)]
    assert {(row, column): count for row, column, count in content["cells"]} == {
        (row, column): dense[row, column] for row, column in zip(*map(np.ndarray.tolist, dense.nonzero()), strict=True)
    }


def test_classes_that_are_never_confused_have_a_matrix_too() -> None:
    support = np.arange(400) + 1
    shown = shown_classes(csr_array(np.diag(support)))
    assert set(shown) == set(range(400 - CONFUSED_SHOWN, 400)), "the largest"


@pytest.mark.parametrize("seed", range(3))
def test_a_class_is_taken_for_the_first_of_its_most_frequent_answers(seed: int) -> None:
    sparse = drawn_counts(12, 90, seed)
    counts, labels = sparse.toarray(), [f"c{number}" for number in range(12)]
    row = {"train_count": 1, "support": 1, "groups": 1, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    found = class_rows(labels, [{"label": label, **row} for label in labels], sparse)
    np.fill_diagonal(counts, 0)
    others = counts.argmax(axis=1)
    expected = [
        f"{labels[other]} ({line[other]})" if line.any() else "" for line, other in zip(counts, others, strict=True)
    ]
    assert [one["taken_for"] for one in found] == expected


def row_of(label: str, f1: float) -> dict[str, Any]:
    return {"label": label, "support": 5, "f1": f1}


def test_a_tier_of_many_classes_names_the_lowest_of_them() -> None:
    values = np.linspace(0.61, 0.89, 500)
    found = {tier["name"]: tier for tier in tiers([row_of(f"c{n}", f1) for n, f1 in enumerate(values)])}
    tier = found["60 to 90 %"]
    assert tier["count"] == 500
    assert [one["label"] for one in tier["classes"]] == [f"c{n}" for n in reversed(range(TIER_SHOWN))]
    ends = tiers([row_of("a", 0.9), row_of("b", 0.6), row_of("c", 0.0), row_of("d", 0.91), row_of("e", 0.1)])
    assert [[one["label"] for one in tier["classes"]] for tier in ends] == [["d"], ["a", "b"], ["e"], ["c"]]


def test_pairs_that_make_many_of_the_errors_are_named() -> None:
    counts, twins = many_classes()
    said = most_errors(counts, [f"c{number}" for number in range(1500)])
    assert said is not None
    assert said.startswith("5 pairs of classes make ")
    errors = counts.sum() - counts.diagonal().sum()
    pairs = most_confused(counts, 5)
    share = sum(pair.forth + pair.back for pair in pairs) / errors
    assert f"{100 * share:.0f} % of the {errors:,} errors" in said
    assert {(pair.first, pair.second) for pair in pairs} <= {tuple(sorted(twin)) for twin in twins}
    assert f"c{pairs[0].first} and c{pairs[0].second} (" in said


def test_few_errors_or_scattered_ones_are_no_advice() -> None:
    assert most_errors(csr_array([[30, 4, 0], [0, 30, 0], [0, 0, 30]]), "abc") is None
    assert most_errors(confusion_counts(np.arange(40), np.roll(np.arange(40), 1), 40), ["x"] * 40) is None


def test_of_two_classes_the_one_that_loses_pictures_is_named() -> None:
    said = most_errors(csr_array([[10, 14], [2, 40]]), ["Miku", "Rin"])
    assert said is not None
    assert said.startswith("14 of the 16 errors take Miku for Rin: more pictures of Miku")
    assert most_errors(csr_array([[10, 14], [12, 40]]), ["Miku", "Rin"]) is None
