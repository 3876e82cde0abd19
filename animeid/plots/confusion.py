"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from animeid.plots.picture import INK, picture, shorten

COUNTED_UP_TO = 30
"""Classes up to which the counts are written into the cells."""

NAMED_UP_TO = 300
"""Classes up to which each has its name; of more, every n-th."""

LONGEST_NAME = 30
# The jump beside zero shows a single mistake among many pictures.
SHARES = LinearSegmentedColormap.from_list(
    "shares", [(0, "#ffffff"), (0.001, "#d9e6f3"), (0.4, "#6fa3d4"), (0.7, "#2f6fb3"), (1, "#123a66")], N=1024
)


def _cell_inches(classes: int) -> float:
    """Large cells for a few classes, and no more than some thirty inches for many."""
    return float(np.clip(12 / classes, 0.145, 0.62)) if classes <= NAMED_UP_TO else 30 / classes


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray, size: float) -> None:
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > 0.45 else INK
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=size)


def _name_classes(axes: Axes, labels: Sequence[str], support: np.ndarray, size: float) -> None:
    every = int(np.ceil(len(labels) / NAMED_UP_TO))
    places = list(range(0, len(labels), every))
    names = [shorten(labels[place], LONGEST_NAME) for place in places]
    rows = [f"{name}  ({support[place]})" for name, place in zip(names, places, strict=True)]
    axes.set_xticks(places, names, rotation=90, fontsize=size)
    axes.set_yticks(places, rows, fontsize=size)
    axes.tick_params(length=0)


def _part_cells(axes: Axes, classes: int) -> None:
    """Draws lines between the cells, on the pixels and below what is written; of ticks each would take milliseconds."""
    edges, ends = np.arange(classes - 1) + 0.5, (-0.5, classes - 0.5)
    for lines in (axes.hlines, axes.vlines):
        lines(edges, *ends, colors="#eef0f2", linewidth=0.5, zorder=0.5)


def _legend(figure: Figure, axes: Axes, side: float) -> None:
    """A bar of colours right of a matrix that is `side` inches wide and high."""
    height = min(1.0, 3 / side)
    box = figure.add_axes((1 + 0.15 / side, 1 - height, 0.16 / side, height))
    bar = figure.colorbar(axes.images[0], cax=box)
    bar.set_label("share of the class's pictures", fontsize=8)
    box.tick_params(labelsize=8, length=2)
    bar.outline.set_linewidth(0.4)


def draw_confusion_matrix(
    counts: np.ndarray, labels: Sequence[str], path: Path, title: str, support: np.ndarray | None = None
) -> None:
    """Draws `[C, C]` counts, rows the true classes, coloured by share of the row.

    The picture grows with the number of classes; a row's number of pictures stands behind its name, and a class
    without pictures has an empty row. `support` `[C]` are the classes' pictures where other classes are left out.
    """
    support = counts.sum(axis=1) if support is None else support
    shares = counts / np.maximum(support, 1)[:, None]
    cell = _cell_inches(len(labels))
    size = float(np.clip(cell * 40, 5.5, 9))
    side = cell * len(labels)
    with picture(path, side, side) as figure:
        figure.set_layout_engine("none")  # the cells have a size; names and legend stand outside
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(shares, cmap=SHARES, vmin=0, vmax=1, interpolation="nearest")
        axes.grid(False)
        axes.spines[:].set_visible(True)
        if len(labels) <= NAMED_UP_TO:
            _part_cells(axes, len(labels))
        _name_classes(axes, labels, support, size)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true (pictures)")
        axes.set_title(title)
        _legend(figure, axes, side)
        if len(labels) <= COUNTED_UP_TO:
            _write_counts(axes, counts, shares, min(9.0, cell * 22))
