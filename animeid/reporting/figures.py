"""The pictures of a run, each drawn from what the run saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from animeid.plots.class_size import draw_f1_by_size
from animeid.plots.confusion import confusion_counts, draw_confusion_matrix
from animeid.plots.curves import draw_learning_curves
from animeid.plots.schedule import draw_learning_rate
from animeid.runs.folder import RunFolder
from animeid.terms import EVALUATED_SPLITS


def _predictions(folder: RunFolder) -> pd.DataFrame:
    """`split`, `target` and the number `answer` of the predicted class, of pictures that belong to a class."""
    table = pd.read_parquet(folder.predictions, columns=["split", "target", "predicted"])
    number = {label: target for target, label in enumerate(folder.read_labels())}
    table["answer"] = table["predicted"].map(number).astype(np.int64)
    return table[table["target"] >= 0]


def _counts(table: pd.DataFrame, part: str, classes: int) -> np.ndarray:
    chosen = table[table["split"] == part]
    return confusion_counts(chosen["target"].to_numpy(), chosen["answer"].to_numpy(), classes)


def draw_confusion(folder: RunFolder, part: str) -> None:
    """Draws `figures/confusion_<part>.png` from the saved predictions of a part."""
    labels = folder.read_labels()
    counts = _counts(_predictions(folder), part, len(labels))
    draw_confusion_matrix(counts, labels, folder.figures / f"confusion_{part}.png", f"Confusion matrix, {part}")


def draw_class_sizes(folder: RunFolder, part: str) -> None:
    """Draws `figures/f1_by_size_<part>.png` from the saved predictions of a part and of training."""
    labels, table = folder.read_labels(), _predictions(folder)
    counts = _counts(table, part, len(labels))
    sizes = _counts(table, "train", len(labels)).sum(axis=1)
    support, predicted = counts.sum(axis=1), counts.sum(axis=0)
    f1 = np.where(support > 0, 2 * counts.diagonal() / np.maximum(support + predicted, 1), np.nan)
    draw_f1_by_size(sizes, f1, labels, folder.figures / f"f1_by_size_{part}.png", f"F1 by class size, {part}")


def draw_figures(folder: RunFolder, rates: np.ndarray, steps_per_epoch: int) -> None:
    """Draws all pictures of a finished run; `rates` are the learning rates of its steps."""
    if len(rates):  # a second stage may train nothing
        draw_learning_curves(pd.read_csv(folder.history), folder.figures / "learning_curves.png")
        draw_learning_rate(rates, steps_per_epoch, folder.figures / "learning_rate.png")
    parts = set(_predictions(folder)["split"])
    for part in EVALUATED_SPLITS:
        if part in parts:
            draw_confusion(folder, part)
            draw_class_sizes(folder, part)
