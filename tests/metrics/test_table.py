"""The table for the terminal."""

from __future__ import annotations

import numpy as np
import torch

from animeid.metrics.baselines import majority
from animeid.metrics.evaluate import evaluate, evaluate_predictions
from animeid.metrics.table import NOTHING, summary_table
from animeid.types import LabelStats

STATS = LabelStats.from_counts(("a", "b", "c"), torch.tensor([150, 30, 5]))


def metrics(skill: float) -> dict[str, object]:
    generator = np.random.default_rng(0)
    targets, groups = np.arange(90) % 3, np.arange(90).astype(str)
    logits = generator.normal(size=(90, 3)).astype(np.float32)
    logits[np.arange(90), targets] += skill
    figures = evaluate(logits, targets, groups, STATS, None)
    common = evaluate_predictions(majority(targets, 90), targets, groups, STATS)
    return {"val": figures, "test": figures, "baselines": {"test": {"majority": common}}, "cost": {"train_s": 12.3}}


def test_the_table_holds_figures_with_intervals_beside_the_baselines_in_aligned_columns() -> None:
    given = metrics(2.0)
    lines = summary_table(given).splitlines()
    test, f1 = given["test"], next(line for line in lines if line.startswith("f1_macro"))
    low, high = test["f1_macro_ci"]
    assert f"{test['f1_macro']:.3f} [{low:.3f}, {high:.3f}]" in f1
    assert f"{given['baselines']['test']['majority']['f1_macro']:.3f}" in f1
    assert lines[0].split() == ["test", "model", "majority"]
    assert f1.index(f"{given['baselines']['test']['majority']['f1_macro']:.3f}") == lines[0].index("majority")
    assert "90 in 90 groups" in lines[2]
    assert not any(line.startswith("top5") for line in lines), "there is no top-5 of three classes"
    assert lines[-1] == "cost: trained in 12 s"
    assert "does not beat" not in summary_table(given)
    second = {**given, "cost": {"train_s": 12.3, "earlier_s": 45.6}}
    assert summary_table(second).endswith("cost: trained in 12 s after 46 s of the runs that it starts from")


def test_a_model_that_does_not_beat_a_baseline_is_told_so() -> None:
    assert "On test the model does not beat the baseline majority" in summary_table(metrics(-3.0))


def test_missing_parts_are_left_out() -> None:
    given = metrics(2.0)
    lines = summary_table({"val": given["val"], "test": None, "baselines": {}}).splitlines()
    assert lines[0].split() == ["val", "model"]
    assert not any(line.startswith("test") for line in lines)


def test_where_nothing_was_judged_there_is_a_sentence_and_no_footnote() -> None:
    assert summary_table({"val": None, "test": None, "cost": None}) == NOTHING
