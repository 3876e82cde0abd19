"""The picture of the tracking study: every run is named, in letters that can be read where a page shows it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.text import Text

from experiments.tracking import study
from tests.noted import noted

PAGE = 9.5
"""Inches that a page shows in the size in which they were drawn."""


class BarPlot(SimpleNamespace):
    pass


class RunComparer(SimpleNamespace):
    pass


class ParallelCoordinatesPlot(SimpleNamespace):
    pass


class SummaryMetric(SimpleNamespace):
    pass


@pytest.fixture(autouse=True, scope="module")
def blank_charts() -> None:
    """Charts are drawn here."""


def test_all_runs_are_in_the_legend_and_no_letter_is_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    figures = noted(study, monkeypatch)
    runs: Any = {
        name: SimpleNamespace(summary={"test/f1_macro": 0.2 * number}, config={"seed": 1, "optimizer": {"lr": number}})
        for number, name in enumerate(study.RUNS)
    }
    columns = [SimpleNamespace(metric=SummaryMetric(name="test/f1_macro"))]
    panels = [
        BarPlot(title="F1", metrics=["test/f1_macro"]),
        ParallelCoordinatesPlot(title="Choices", columns=columns),
        RunComparer(),
    ]
    study.draw(panels, runs, tmp_path / "panels.png")
    (figure,) = figures
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(study.RUNS)
    letters = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    assert min(text.get_fontsize() for text in letters) >= 8
    assert figure.get_figwidth() <= PAGE
