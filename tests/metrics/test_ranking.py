"""Which of several epochs, runs or trials is the better one."""

from __future__ import annotations

import math
from itertools import permutations

import pandas as pd
import pytest

from animeid.metrics.ranking import best_row, standing, tied_with


def test_the_figure_decides_and_then_the_loss() -> None:
    in_order = [
        standing(math.nan, 0.1),
        standing(0.8, 0.1),
        standing(0.9, None),
        standing(0.9, math.nan),
        standing(0.9, 0.5),
        standing(0.9 + 1e-9, 0.4),
        standing(1.0, 9.0),
    ]
    assert in_order == sorted(in_order)
    assert standing(0.9, None) == standing(0.9, math.nan) < standing(0.9, 1e9)
    assert standing(0.4, 0.4, "min") > standing(0.5, 0.5, "min")


@pytest.mark.parametrize("monitor", ["val/f1_macro", "val/loss"])
def test_the_best_epoch_is_the_one_of_the_definition(monitor: str) -> None:
    """Against the words of the rule, over all orders of four epochs with ties in both figures."""
    for order in permutations([(0.5, 0.1), (0.9, 0.3), (0.9, 0.2), (0.9, 0.2)]):
        history = pd.DataFrame(order, columns=["val/f1_macro", "val/loss"])
        if monitor == "val/loss":
            rows = history[history["val/loss"] == history["val/loss"].min()]
        else:
            rows = history[history["val/f1_macro"] == history["val/f1_macro"].max()]
            rows = rows[rows["val/loss"] == rows["val/loss"].min()]
        assert best_row(history, monitor) == rows.index[-1]


def test_how_many_are_as_good() -> None:
    history = pd.DataFrame({"val/f1_macro": [0.9, 1.0, 1.0 - 1e-8, 0.9]})
    assert tied_with(history, "val/f1_macro", 1) == 1
    assert best_row(history, "val/f1_macro") == 2, "without losses the later one"
