"""How well each class is named against how often training showed it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from animeid.reports.picture import BLUE, ORANGE, picture, shorten

WORST_NAMED = 5
NAME_WIDTH, NAME_HEIGHT = 0.5, 0.055
"""Room for a name, in decades of size and in F1."""

LONGEST_NAME = 24


def _free_height(place: tuple[float, float], taken: list[tuple[float, float]]) -> float:
    """The lowest height at or above a point (logarithm of size, F1) where its name stands on no other name."""
    log_size, height = place
    for other_log_size, other_height in sorted(taken, key=lambda other: other[1]):
        if abs(log_size - other_log_size) < NAME_WIDTH and abs(height - other_height) < NAME_HEIGHT:
            height = other_height + NAME_HEIGHT
    return height


def _name_worst(axes: Axes, sizes: np.ndarray, f1: np.ndarray, labels: Sequence[str]) -> None:
    middle = float(np.sqrt(sizes.min() * sizes.max()))
    taken: list[tuple[float, float]] = []
    for place in np.argsort(f1, kind="stable")[:WORST_NAMED]:
        log_size = float(np.log10(sizes[place]))
        height = _free_height((log_size, float(f1[place])), taken)
        taken.append((log_size, height))
        left = sizes[place] > middle
        axes.annotate(
            shorten(labels[place], LONGEST_NAME),
            (sizes[place], height),
            xytext=(-7 if left else 7, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=7.5,
        )


def draw_f1_by_size(sizes: np.ndarray, f1: np.ndarray, labels: Sequence[str], path: Path, title: str) -> None:
    """Draws the F1 of each class, `[C]`, against its training pictures, `[C]`, and names the worst.

    Classes without training pictures or without F1 (NaN) are left out.
    """
    drawn = (sizes > 0) & ~np.isnan(f1)
    sizes, f1 = sizes[drawn], f1[drawn]
    names = [label for label, keep in zip(labels, drawn, strict=True) if keep]
    with picture(path, 6.5, 3.9) as figure:
        axes = figure.subplots()
        axes.scatter(sizes, f1, s=26, color=BLUE, alpha=0.65, linewidths=0)
        axes.axhline(float(f1.mean()), color=ORANGE, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_title(title)
        axes.set_title(f"mean {f1.mean():.3f} (dashed)", loc="right", fontsize=8, color=ORANGE)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(sizes.min() / 1.3, sizes.max() * 1.3)
        axes.set_ylim(-0.04, 1.04)
        axes.set_xlabel("training pictures")
        axes.set_ylabel("F1")
        _name_worst(axes, sizes, f1, names)
