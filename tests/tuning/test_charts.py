"""Charts of a search: whole ticks, letters that can be read, and room on the page."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import optuna
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from optuna.trial import FrozenTrial, TrialState
from PIL import Image

from animeid.tuning import charts
from animeid.tuning.space import Choice, Dimension, Range
from tests.noted import noted

SPACE: tuple[Dimension, ...] = (
    Choice("loss", ("focal", "class_balanced_focal")),
    Range("optimizer.lr", 1e-4, 1e-2, log=True),
    Range("optimizer.weight_decay", 0.0, 0.3, step=0.05),
    Choice("mixing", ("none", "cutmix")),
    Range("trainer.max_epochs", 5, 60),
    Choice("data.image_size", ("64", "128")),
)
PAGE = 1012
"""Pixels that a page has for a chart."""


@pytest.fixture(autouse=True, scope="module")
def blank_charts() -> None:
    """Charts are drawn here."""


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    return noted(charts, monkeypatch)


def trials(figures: list[float]) -> list[FrozenTrial]:
    """Finished ones, and after the first one that was cut short."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(0))
    for number, figure in enumerate([figures[0], 0.1, *figures[1:]]):
        trial = study.ask()
        for dimension in SPACE:
            dimension.suggest(trial)
        trial.report(figure, 0)
        study.tell(trial, **({"state": TrialState.PRUNED} if number == 1 else {"values": figure}))
    return study.get_trials()


@pytest.mark.parametrize("figures", [[0.5], [0.5, 0.7, 0.6], np.linspace(0.2, 0.8, 19).tolist()])
def test_trials_are_whole_and_all_on_the_chart(figures: list[float], drawn: list[Figure], tmp_path: Path) -> None:
    draw = trials(figures)
    charts.draw_history(draw, tmp_path / "history.png")
    (axes,) = drawn[0].axes
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    low, high = axes.get_xlim()
    assert low < 0 and high > len(draw) - 1
    legend = axes.get_legend()
    assert legend is not None and len(legend.get_texts()) == 3


@pytest.mark.parametrize("figures", [[0.5, 0.7, 0.6], [0.5, 0.5]])
def test_seven_axes_fit_a_page_and_can_be_read(figures: list[float], drawn: list[Figure], tmp_path: Path) -> None:
    charts.draw_parallel(trials(figures), SPACE, tmp_path / "parallel.png")
    with Image.open(tmp_path / "parallel.png") as image:
        assert image.width * 96 / 150 < PAGE
    (axes,) = drawn[0].axes
    letters = [text for text in drawn[0].findobj(Text) if isinstance(text, Text) and text.get_text()]
    assert min(text.get_fontsize() for text in letters) >= 8
    names = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(names)), "no name runs into the next"
    assert [label.get_text() for label in axes.get_xticklabels()][2] == "optimizer.\nweight_decay"


def test_the_best_is_yellow_where_all_are_alike(drawn: list[Figure], tmp_path: Path) -> None:
    charts.draw_parallel(trials([0.5, 0.5]), SPACE, tmp_path / "parallel.png")
    (axes,) = drawn[0].axes
    assert axes.get_title(loc="left") == "All are alike"
    assert axes.get_lines()[0].get_color() == pytest.approx(charts.figure_colours(np.ones(1))[0])
    assert "0.500" in [text.get_text() for text in axes.texts]


def test_names_of_keys_stand_in_full_beside_their_bars(drawn: list[Figure], tmp_path: Path) -> None:
    charts.draw_importance({"optimizer.weight_decay_of_the_head": 0.7, "loss": 0.3}, tmp_path / "importance.png")
    (axes,) = drawn[0].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["loss", "optimizer.weight_decay_of_the_head"]
