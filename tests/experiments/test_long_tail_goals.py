"""Goals of the ladder, measured by scikit-learn beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from experiments.long_tail.goals import goals_table
from experiments.long_tail.outcomes import Outcome
from experiments.long_tail.rows import BASE, ROWS, Row

TARGETS = np.repeat(np.arange(4), 30)
FEW = TARGETS >= 2
ROW = {row.name: row for row in ROWS}


def outcomes(right: tuple[float, float], seconds: float) -> dict[int, Outcome]:
    """Three seeds that answer so much right, of the many-shot and of the few-shot classes."""
    found = {}
    for seed in range(3):
        random = np.random.default_rng([seed, int(1000 * sum(right))])
        answers = np.where(random.random(len(TARGETS)) < np.where(FEW, right[1], right[0]), TARGETS, 0)
        f1 = float(f1_score(TARGETS, answers, average="macro"))
        found[seed] = Outcome(
            {"f1_macro": f1},
            seconds,
            None,
            frozenset(),
            TARGETS,
            np.arange(len(TARGETS)).astype(str),
            answers,
            FEW,
        )
    return found


def lines(rows: dict[Row, dict[int, Outcome]]) -> dict[str, tuple[str, str]]:
    cells = [line.strip("| ").split(" | ") for line in goals_table(rows, 3).splitlines()[2:]]
    return {goal: (measured, reached) for goal, measured, reached in cells}


def over_seeds(found: dict[int, Outcome], figure: Callable[[Outcome], float]) -> float:
    return float(np.mean([figure(one) for one in found.values()]))


def recall_of_few(one: Outcome) -> float:
    return recall_score(one.targets[FEW], one.answers[FEW], average="macro", labels=[2, 3])


def test_goals_are_measured_as_means_over_seeds() -> None:
    rows = {
        ROW[BASE]: outcomes((0.9, 0.3), 100),
        ROW["auto"]: outcomes((0.9, 0.7), 90),
        ROW["timm"]: outcomes((0.9, 0.65), 120),
        ROW["balanced_softmax"]: outcomes((0.9, 0.9), 80),
    }
    found = lines(rows)
    f1 = {
        row.name: over_seeds(o, lambda one: f1_score(one.targets, one.answers, average="macro"))
        for row, o in rows.items()
    }
    few = {row.name: over_seeds(o, recall_of_few) for row, o in rows.items()}
    measured, reached = found[f"auto over {BASE} in f1_macro: 6 points"]
    assert measured.startswith(f"{100 * (f1['auto'] - f1[BASE]):+.1f} (")
    assert reached == "yes"
    measured, reached = found[f"auto over {BASE} in few/acc_macro: 15 points"]
    assert measured.startswith(f"{100 * (few['auto'] - few[BASE]):+.1f} (")
    assert reached == "yes"
    assert found["auto over timm in f1_macro: 15 points"][1] == "no"
    assert found["auto at or above the best single model, balanced_softmax, in f1_macro"][1] == "no"
    assert found["auto in no more than the median training time"] == ("90 s against 100 s", "yes")
    assert "adjustment in the loss and post-hoc agree in acc_macro: the interval holds 0" not in found


@pytest.mark.parametrize(("right", "agree"), [((0.9, 0.91), "yes"), ((0.9, 0.4), "no")])
def test_two_adjustments_agree_where_the_interval_holds_nothing(right: tuple[float, float], agree: str) -> None:
    rows = {
        ROW[BASE]: outcomes((0.9, 0.3), 100),
        ROW["balanced_softmax"]: outcomes((0.9, 0.9), 80),
        ROW["post_hoc"]: outcomes(right, 80),
    }
    assert lines(rows)["adjustment in the loss and post-hoc agree in acc_macro: the interval holds 0"][1] == agree


def test_nothing_is_said_of_rows_that_are_not_there() -> None:
    assert goals_table({ROW[BASE]: outcomes((0.9, 0.3), 100)}, 3) == ""


def test_rows_that_lack_a_seed_are_not_judged() -> None:
    part = {ROW[name]: outcomes((0.9, right), 100) for name, right in ((BASE, 0.3), ("auto", 0.9))}
    del part[ROW["auto"]][2]
    assert goals_table(part, 3) == ""
