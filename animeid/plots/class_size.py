"""Chart of F1 by class size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from animeid.plots.picture import BLUE, MUTED, ORANGE, picture, shorten, side_note

WORST_LISTED = 8
LONGEST_NAME = 24


def _list_worst(axes: Axes, sizes: np.ndarray, f1: np.ndarray, labels: Sequence[str]) -> None:
    """Colours the worst classes, half of them at most, and lists them right of the axes, the lowest first."""
    worst = np.argsort(f1, kind="stable")[: min(WORST_LISTED, len(f1) // 2)]
    worst = worst[f1[worst] < f1.max()]  # where all are alike, none is the worst
    if not len(worst):
        return
    axes.scatter(sizes[worst], f1[worst], s=26, color=ORANGE, linewidths=0, zorder=3)
    axes.text(1.03, 1, "lowest F1 (training pictures)", transform=axes.transAxes, va="top", fontsize=8, color=ORANGE)
    for line, place in enumerate(worst, 1):
        name = shorten(labels[place], LONGEST_NAME)
        text = f"{f1[place]:.2f}  {name} ({sizes[place]})"
        axes.text(1.03, 1 - 0.08 * line, text, transform=axes.transAxes, va="top", fontsize=8)


def draw_f1_by_size(sizes: np.ndarray, f1: np.ndarray, labels: Sequence[str], path: Path, title: str) -> None:
    """Draws the F1 of each class, `[C]`, against its training pictures, `[C]`, and lists the worst.

    Classes without training pictures or without F1 (NaN) are left out; where none is left, nothing is drawn.
    """
    drawn = (sizes > 0) & ~np.isnan(f1)
    if not drawn.any():
        return
    sizes, f1 = sizes[drawn], f1[drawn]
    names = [label for label, keep in zip(labels, drawn, strict=True) if keep]
    with picture(path, 6.0, 3.6) as figure:
        axes = figure.subplots()
        axes.scatter(sizes, f1, s=26, color=BLUE, alpha=0.65, linewidths=0)
        axes.axhline(float(f1.mean()), color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_title(title)
        side_note(axes, f"mean {f1.mean():.3f} (dashed)")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(sizes.min() / 1.3, sizes.max() * 1.3)
        axes.set_ylim(-0.04, 1.04)
        axes.set_xlabel("training pictures")
        axes.set_ylabel("F1")
        _list_worst(axes, sizes, f1, names)
