"""Pictures are drawn without a missing glyph, whatever the names, and are not blank."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from animeid.metrics.functional import confusion_counts
from animeid.plots.class_size import draw_f1_by_size
from animeid.plots.confusion import draw_confusion_matrix
from animeid.plots.curves import draw_learning_curves
from animeid.plots.schedule import draw_learning_rate

NAMES = ["初音ミク", "蕾米莉亚·斯卡蕾特", "나다 가나다", "A & B $x_1$ 100%", "Ångström ß", "レミリア"]


@pytest.fixture(autouse=True)
def _glyphs_are_there() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*[Gg]lyph.*")
        yield


def ink(path: Path) -> float:
    """Share of pixels that are not white."""
    return float((np.asarray(Image.open(path).convert("L")) < 250).mean())


@pytest.mark.parametrize("classes", [2, 6, 40, 90])
def test_confusion_matrices_of_any_size(tmp_path: Path, classes: int) -> None:
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(classes), 8)
    predicted = np.where(random.random(len(targets)) < 0.7, targets, random.integers(0, classes, len(targets)))
    counts = confusion_counts(targets, predicted, classes).toarray()
    assert counts.sum() == len(targets)
    labels = [f"{NAMES[number % 6]} {number}" for number in range(classes)]
    draw_confusion_matrix(counts, labels, tmp_path / "matrix.png", "Confusion matrix")
    assert ink(tmp_path / "matrix.png") > 0.01


def test_rows_are_the_true_classes() -> None:
    counts = confusion_counts(np.array([0, 0, 1]), np.array([1, 1, 0]), 2).toarray()
    assert counts.tolist() == [[0, 2], [1, 0]]


def test_curves_schedule_and_class_sizes(tmp_path: Path) -> None:
    epochs = np.arange(6)
    history = pd.DataFrame(
        {
            "epoch": epochs,
            "train/loss": 3 / (epochs + 1),
            "val/loss": 3.2 / (epochs + 1),
            "val/acc_micro": epochs / 7,
            "val/acc_macro": epochs / 8,
            "val/f1_macro": epochs / 9,
        }
    )
    draw_learning_curves(history, tmp_path / "curves.png")
    draw_learning_rate(np.sin(np.linspace(0, 3, 60)), 10, tmp_path / "rate.png")
    sizes, f1 = np.array([500, 90, 40, 19, 5, 3]), np.array([0.95, 0.8, 0.7, 0.4, 0.0, np.nan])
    draw_f1_by_size(sizes, f1, NAMES, tmp_path / "sizes.png", "F1 by class size")
    assert all(ink(tmp_path / name) > 0.005 for name in ("curves.png", "rate.png", "sizes.png"))


def test_a_run_of_one_epoch_is_drawn_too(tmp_path: Path) -> None:
    history = pd.DataFrame({"epoch": [0], "train/loss": [1.0], "val/loss": [1.0], "val/f1_macro": [0.5]})
    draw_learning_curves(history, tmp_path / "curves.png")
    draw_learning_rate(np.array([0.1]), 1, tmp_path / "rate.png")
    assert ink(tmp_path / "curves.png") > 0
