"""The learning rate over a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.ticker import FuncFormatter

from animeid.plots.picture import BLUE, keep_integers, picture


def draw_learning_rate(rates: np.ndarray, steps_per_epoch: int, path: Path) -> None:
    """Draws the rate of each optimiser step, `[steps]`, over the epochs that are done by then, 0 at the start."""
    epochs = np.arange(len(rates) + 1) / steps_per_epoch
    rates = np.append(rates, rates[-1])  # the last step takes time as well
    with picture(path, 5.5, 3.2) as figure:
        axes = figure.subplots()
        axes.plot(epochs, rates, drawstyle="steps-post")
        axes.fill_between(epochs, rates, step="post", color=BLUE, alpha=0.08, linewidth=0)
        axes.set_title("Learning rate")
        axes.set_title(f"highest {rates.max():.3g}", loc="right", fontsize=8)
        axes.set_xlabel(f"epochs done ({steps_per_epoch:,} steps each)")
        axes.set_ylim(bottom=0, top=1.05 * float(rates.max()) or None)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
        keep_integers(axes)
