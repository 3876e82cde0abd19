"""Learning curves."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from animeid.metrics.ranking import best_row
from animeid.plots.picture import MUTED, keep_integers, picture, side_note

LOSSES = {"train/loss": "training", "val/loss": "validation"}
FIGURES = {"val/f1_macro": "f1_macro", "val/acc_macro": "acc_macro", "val/acc_micro": "acc_micro"}
MONITORED = "val/f1_macro"


def epoch_numbers(history: pd.DataFrame) -> pd.Series:
    """`[E]`: the epochs of `history.csv` as people count them, from 1."""
    return history["epoch"] + 1


def show_epochs(axes: Axes, epochs: Collection[int]) -> None:
    """Whole epochs on the horizontal axis, with room beside the only one."""
    axes.set_xlabel("epoch")
    keep_integers(axes)
    if len(epochs) == 1:
        axes.set_xlim(min(epochs) - 1, min(epochs) + 1)


def _plot(axes: Axes, history: pd.DataFrame, columns: dict[str, str]) -> None:
    marker = "o" if len(history) <= 30 else None
    epochs = epoch_numbers(history)
    for column, label in columns.items():
        axes.plot(epochs, history[column], label=label, marker=marker)
    show_epochs(axes, set(epochs))


def _mark_best(axes: Axes, history: pd.DataFrame, best: int | None) -> None:
    epochs = epoch_numbers(history)
    place = best_row(history, MONITORED) if best is None else int((epochs == best).to_numpy().argmax())
    axes.axvline(epochs.iloc[place], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    what = "best" if best is None else "kept"
    side_note(axes, f"{what}: epoch {epochs.iloc[place]}, f1_macro {history[MONITORED].iloc[place]:.3f}")


def _existing(history: pd.DataFrame, columns: dict[str, str]) -> dict[str, str]:
    return {name: label for name, label in columns.items() if name in history and history[name].notna().any()}


def draw_learning_curves(history: pd.DataFrame, path: Path, best: int | None = None) -> None:
    """Draws losses and, where there is a validation part, its figures over the epochs of `history.csv`.

    Args:
        best: the epoch, counted from 1, whose weights the run keeps; where that is not known, the one of the highest
            f1_macro is marked.
    """
    losses, figures = _existing(history, LOSSES), _existing(history, FIGURES)
    panels = 2 if figures else 1
    with picture(path, 5 * panels, 3.4) as figure:
        every = np.atleast_1d(figure.subplots(1, panels))
        _plot(every[0], history, losses)
        every[0].set_title("Loss")
        every[0].set_ylim(bottom=0, top=1.06 * every[0].get_ylim()[1])
        every[0].legend()
        if figures:
            _plot(every[1], history, figures)
            every[1].set_title("Validation")
            every[1].set_ylim(0, 1.02)
            every[1].legend(loc="best")
            if MONITORED in figures:
                _mark_best(every[1], history, best)
