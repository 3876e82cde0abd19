"""The study of efforts: what its page says of outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy import stats

from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from experiments.effort.study import Outcome, expected, goals, interval, outcome, rows_of, seeds_of


def test_efforts_are_shares_of_standard() -> None:
    found = {
        "quick": [Outcome(0.45, 60.0, 10.0)],
        "standard": [Outcome(0.5, 500.0, 400.0), Outcome(0.6, 700.0, 400.0)],
        "best": [Outcome(0.6, 1800.0, 1200.0), Outcome(0.6, 1800.0, 1200.0)],
        "none": [],
    }
    rows = rows_of("cast", found)
    assert [row[:3] for row in rows] == [["cast", "quick", "1"], ["cast", "standard", "2"], ["cast", "best", "2"]]
    assert [row[4:] for row in rows] == [
        ["82", "60", "0.10", "10", "0.03"],
        ["100", "600", "1.00", "400", "1.00"],
        ["109", "1800", "3.00", "1200", "3.00"],
    ]
    assert rows[0][3] == "45.0"
    said = expected(rows)
    assert said["quick"] == (
        "on cast test f1_macro 45.0 % in 60 s, 82 % of that of effort=standard in 0.10 times its time (runs: 1)."
    )
    assert said["standard"].endswith(" % in 600 s (runs: 2).")


def test_goals_are_met_by_exact_figures() -> None:
    standard = Outcome(1.0, 1000.0, 1.0)
    said = goals({"one": (Outcome(0.849, 100.0, 1.0), standard), "two": (Outcome(0.85, 104.0, 1.0), standard)})
    assert said.endswith("one 85 % (missed) in 0.10 (met); two 85 % (met) in 0.10 (missed).")


def test_all_that_was_trained_counts(tmp_path: Path) -> None:
    cost = {"train_s": 5.0, "earlier_s": 300.0, "twin_s": 20.0}
    (tmp_path / "metrics.json").write_text(json.dumps({"test": {"f1_macro": 0.4}, "cost": cost}), encoding="utf-8")
    assert outcome(FinishedRun(RunFolder(tmp_path)), 400.0) == Outcome(0.4, 400.0, 325.0)


def test_the_interval_is_students() -> None:
    values = [0.4, 0.5, 0.45]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert interval(values) == f"45.0 ({100 * low:.1f} to {100 * high:.1f})"


def test_efforts_have_as_many_seeds_as_is_said() -> None:
    assert {effort: list(seeds) for effort, seeds in seeds_of("2,1", 4).items()} == {
        "quick": [1],
        "standard": [1, 2],
        "best": [1],
    }
    assert [len(seeds_of("2,0/3,1", place)["best"]) for place in (0, 1, 2)] == [0, 1, 1]
