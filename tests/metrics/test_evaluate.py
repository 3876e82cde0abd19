"""One part of metrics.json: names, nulls, and values recomputed with scikit-learn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from animeid.errors import InputError
from animeid.metrics.evaluate import evaluate, evaluate_predictions
from animeid.types import LabelStats

COUNTS = (150, 120, 80, 40, 20, 12, 5, 3)
LABELS = ("初音ミク", "나다", "A & B", "d", "e", "f", "g", "never drawn")
WHOLE = ("acc_micro", "acc_macro", "f1_macro", "f1_weighted", "top5", "ece", "nll", "loss")


def stats() -> LabelStats:
    return LabelStats.from_counts(LABELS, torch.tensor(COUNTS))


def part(pictures: int = 300, seed: int = 0) -> dict[str, np.ndarray]:
    """Targets of the first seven classes, some -1; groups of two."""
    generator = np.random.default_rng(seed)
    targets = np.repeat(generator.integers(-1, 7, size=pictures // 2), 2)
    logits = generator.normal(size=(pictures, 8)).astype(np.float32)
    logits[np.arange(pictures), targets] += np.where(targets >= 0, 1.5, 0)
    losses = np.where(targets >= 0, generator.random(pictures), np.nan)
    groups = np.array([f"group {number // 2}" for number in range(pictures)])
    return {"logits": logits, "targets": targets, "groups": groups, "losses": losses}


def judged(**changes: Any) -> dict[str, Any]:
    return evaluate(**(part() | changes), stats=stats())


def test_figures_equal_sklearns_on_the_pictures_of_known_classes() -> None:
    given, figures = part(), judged()
    known = given["targets"] >= 0
    targets, logits = given["targets"][known], given["logits"][known]
    predicted, present = logits.argmax(1), np.arange(7)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = {
        "acc_micro": sk.accuracy_score(targets, predicted),
        "acc_macro": sk.recall_score(targets, predicted, labels=present, average="macro"),
        "f1_macro": sk.f1_score(targets, predicted, labels=present, average="macro"),
        "f1_weighted": sk.f1_score(targets, predicted, labels=present, average="weighted"),
        "top5": sk.top_k_accuracy_score(targets, logits, k=5, labels=range(8)),
        "nll": sk.log_loss(targets, shares, labels=range(8)),
        "loss": given["losses"][known].mean(),
        "many/acc_macro": sk.recall_score(targets, predicted, labels=[0, 1], average="macro"),
        "medium/f1_macro": sk.f1_score(targets, predicted, labels=[2, 3, 4], average="macro"),
        "few/acc_macro": sk.recall_score(targets, predicted, labels=[5, 6], average="macro"),
    }
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, rel=1e-5), name
        low, high = figures[f"{name}_ci"]
        assert low < figures[name] < high, name
    assert (figures["support"], figures["unknown"]) == (known.sum(), (~known).sum())
    assert figures["groups"] == len(set(given["groups"][known]))
    assert figures["few/classes"] == 2  # the third was never drawn
    assert figures["few/support"] == np.isin(targets, [5, 6]).sum()
    assert figures["few/groups"] == figures["few/support"] // 2


def test_per_class_rows() -> None:
    given, rows = part(), judged()["per_class"]
    known = given["targets"] >= 0
    targets, predicted = given["targets"][known], given["logits"][known].argmax(1)
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        targets, predicted, labels=range(8), zero_division=0
    )
    assert [row["label"] for row in rows] == list(LABELS)
    assert [row["train_count"] for row in rows] == list(COUNTS)
    assert [row["shot_group"] for row in rows] == ["many"] * 2 + ["medium"] * 3 + ["few"] * 3
    for target, row in enumerate(rows[:7]):
        values = [row[name] for name in ("precision", "recall", "f1", "support")]
        assert values == pytest.approx([precision[target], recall[target], f1[target], support[target]])
        assert row["groups"] == support[target] // 2
    assert rows[7]["support"] == 0
    assert [rows[7][name] for name in ("precision", "recall", "f1", "recall_ci")] == [None] * 4


def test_values_are_plain_and_json_is_strict() -> None:
    figures = judged()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert all(type(figures[name]) is float for name in WHOLE)
    assert all(f"{name}_ci" in figures for name in WHOLE)


def test_figures_do_not_depend_on_the_order_of_pictures_and_repeat() -> None:
    given = part()
    order = np.random.default_rng(1).permutation(len(given["targets"]))
    again = evaluate(**{name: value[order] for name, value in given.items()}, stats=stats())
    first = judged()
    assert first == judged()
    assert again["f1_macro"] == first["f1_macro"]
    assert again["f1_macro_ci"] == pytest.approx(first["f1_macro_ci"])


def test_under_five_groups_nothing_has_an_interval() -> None:
    figures = judged(groups=np.arange(300).astype(str).astype("<U1"))  # first digits
    assert figures["groups"] > 5
    assert figures["acc_micro_ci"] is not None
    four = judged(groups=(np.arange(300) % 4).astype(str))
    assert four["groups"] == 4
    assert four["acc_micro"] == figures["acc_micro"]
    assert all(four[f"{name}_ci"] is None for name in WHOLE)
    assert all(row["recall_ci"] is None for row in four["per_class"])


def test_a_class_with_four_groups_has_no_interval_and_one_with_five_has() -> None:
    targets = np.repeat([0, 1, 2], [12, 8, 10])
    groups = np.array([f"{target} {number % 5}" for number, target in enumerate(targets)])
    groups[(targets == 1) & (groups == "1 4")] = "1 3"
    predicted = np.where(np.arange(30) % 3 == 0, (targets + 1) % 3, targets)
    logits = np.eye(3, dtype=np.float32)[predicted]
    rows = evaluate(logits, targets, groups, LabelStats.from_counts(("a", "b", "c"), torch.tensor([9, 9, 9])), None)
    assert [row["groups"] for row in rows["per_class"]] == [5, 4, 5]
    assert [row["recall_ci"] is None for row in rows["per_class"]] == [False, True, False]


def test_what_does_not_exist_is_null() -> None:
    three = LabelStats.from_counts(("a", "b", "c"), torch.tensor([5, 6, 7]))
    given = part()
    figures = evaluate(given["logits"][:, :3], given["targets"].clip(-1, 2), given["groups"], three, None)
    nulls = ("top5", "top5_ci", "loss", "loss_ci", "many/acc_macro", "many/acc_macro_ci", "medium/f1_macro")
    assert [figures[name] for name in nulls] == [None] * len(nulls)
    assert figures["many/classes"] == figures["many/groups"] == 0


def test_a_part_without_pictures_of_known_classes() -> None:
    figures = judged(targets=np.full(300, -1))
    assert (figures["support"], figures["groups"], figures["unknown"]) == (0, 0, 300)
    assert all(figures[name] is None and figures[f"{name}_ci"] is None for name in WHOLE)


def test_no_interval_where_all_is_right() -> None:
    """Resamples of right answers are all right: that is no proof that the next picture will be."""
    given = part()
    figures = judged(logits=10 * np.eye(8, dtype=np.float32)[given["targets"]])
    assert figures["acc_micro"] == 1.0
    assert figures["acc_micro_ci"] is None


def test_the_interval_of_an_ece_begins_at_zero_where_chance_explains_it() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(200, 8)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = (shares.cumsum(1) < generator.random((200, 1))).sum(1).clip(0, 7)
    groups = np.arange(200).astype(str)
    calibrated = evaluate(logits, targets, groups, stats(), None)
    assert calibrated["ece"] > 0 == calibrated["ece_ci"][0]
    low, high = evaluate(5 * logits, targets, groups, stats(), None)["ece_ci"]
    assert 0.2 < low < high < 1


def test_logits_that_are_no_numbers_are_refused() -> None:
    logits = part()["logits"].copy()
    logits[[3, 7], 0] = np.nan, np.inf
    with pytest.raises(InputError, match="2 of 300 pictures are not finite"):
        judged(logits=logits)


def test_predictions_are_judged_as_logits_are() -> None:
    given, figures = part(), judged()
    bare = evaluate_predictions(given["logits"].argmax(1), given["targets"], given["groups"], stats())
    assert bare == {name: figures[name] for name in bare}
    assert {"acc_micro", "acc_macro_ci", "f1_macro", "few/acc_macro", "support", "groups"} <= set(bare)
    assert not {"per_class", "ece", "top5"} & set(bare)
