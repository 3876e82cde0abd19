"""The charts of a run, each drawn from what the run saved."""

from __future__ import annotations

import numpy as np

from animeid.metrics.functional import class_counts, f1
from animeid.plots.class_size import draw_f1_by_size
from animeid.plots.confusion import draw_confusion_matrix
from animeid.plots.curves import draw_learning_curves
from animeid.plots.schedule import draw_learning_rate
from animeid.reporting.classes import train_counts
from animeid.reporting.confusions import WHOLE_UP_TO, shown_classes
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.terms import EVALUATED_SPLITS


def draw_confusion(folder: RunFolder, part: str) -> None:
    """Draws `figures/confusion_<part>.png` from the saved predictions of a part."""
    _draw_confusion(FinishedRun(folder), part)


def draw_figures(folder: RunFolder, rates: np.ndarray, steps_per_epoch: int) -> None:
    """Draws all charts of a finished run; `rates` are the learning rates of its steps."""
    run = FinishedRun(folder)
    if run.history is not None:  # a second stage may train nothing
        best = run.best_epoch.epoch if run.best_epoch else None
        draw_learning_curves(run.history, folder.figures / "learning_curves.png", best)
        draw_learning_rate(rates, steps_per_epoch, folder.figures / "learning_rate.png")
    for part in EVALUATED_SPLITS:
        if len(run.positions_in(part)):
            _draw_confusion(run, part)
            _draw_class_sizes(run, part)


def _draw_confusion(run: FinishedRun, part: str) -> None:
    """Draws all classes in their order; of more than can be read, those that are confused most."""
    path, counts, title = run.folder.figures / f"confusion_{part}.png", run.confusion(part), f"Confusion matrix, {part}"
    if len(run.labels) <= WHOLE_UP_TO:
        draw_confusion_matrix(counts.toarray(), run.labels, path, title)
        return
    chosen = shown_classes(counts)
    names, among = [run.labels[place] for place in chosen], counts[chosen][:, chosen].toarray()
    title = f"{title}: of {len(run.labels):,} classes the {len(chosen)} that are confused most"
    draw_confusion_matrix(among, names, path, title, counts.sum(axis=1)[chosen])


def _draw_class_sizes(run: FinishedRun, part: str) -> None:
    """Draws `figures/f1_by_size_<part>.png` from the saved predictions of a part."""
    path = run.folder.figures / f"f1_by_size_{part}.png"
    draw_f1_by_size(
        train_counts(run), f1(class_counts(run.confusion(part))), run.labels, path, f"F1 by class size, {part}"
    )
