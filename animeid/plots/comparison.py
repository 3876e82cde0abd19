"""Several runs on one chart."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.ticker import PercentFormatter

from animeid.plots.curves import MONITORED, epoch_numbers, show_epochs
from animeid.plots.picture import COLOURS, GRID, picture, shorten

LONGEST_NAME = 34
CLASSES_SHOWN = 16
STYLES = ("-", "--", ":", "-.")
"""Of lines whose colours come again."""
PANEL_WIDTH = 3.4
"""In inches: three beside one another fit a page."""
PANELS = {MONITORED: "validation f1_macro", "val/loss": "validation loss", "train/loss": "training loss"}


def draw_curves_of_runs(histories: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Draws each figure that the runs' `history.csv` have in a panel of its own, with a line a run.

    Raises:
        ValueError: none of the runs has any of the figures.
    """
    panels = {column: title for column, title in PANELS.items() if any(column in found for found in histories.values())}
    if not panels:
        raise ValueError("no run has a figure that can be drawn")
    styles = cycler(linestyle=STYLES[: -(-len(histories) // len(COLOURS))]) * cycler(color=COLOURS)
    lines_of_legend = -(-len(histories) // len(panels))
    with picture(path, PANEL_WIDTH * len(panels), 3.4 + 0.18 * lines_of_legend) as figure:
        every = np.atleast_1d(figure.subplots(1, len(panels)))
        for axes, (column, title) in zip(every, panels.items(), strict=True):
            for (name, history), style in zip(histories.items(), cycle(styles)):
                marker = "o" if len(history) <= 30 else None
                values = history.get(column, pd.Series(np.nan, index=history.index))
                axes.plot(epoch_numbers(history), values, label=shorten(name, LONGEST_NAME), marker=marker, **style)
            axes.set_title(title)
            show_epochs(axes, set().union(*map(epoch_numbers, histories.values())))
            axes.set_ylim(bottom=0, top=1.02 if column == MONITORED else 1.06 * axes.get_ylim()[1])
            if column == MONITORED:
                axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        handles, labels = every[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower left", ncols=len(panels), fontsize=8, handlelength=3.5, frameon=False
        )


def draw_class_differences(figures: pd.DataFrame, path: Path, title: str) -> None:
    """Draws the classes in which two runs differ most, the gains of the second on top.

    Both have the colours that they have among the curves of all runs.

    Args:
        figures: a row a class, named by it, with a column a run; the first and the last column are compared.
    """
    first, second = figures.columns[0], figures.columns[-1]
    both = figures.dropna(subset=[first, second])
    change = both[second] - both[first]
    shown = both.loc[change.abs().sort_values(ascending=False, kind="stable").index[:CLASSES_SHOWN]]
    shown = shown.loc[change[shown.index].sort_values(kind="stable").index]
    rows = np.arange(len(shown))
    last = COLOURS[(len(figures.columns) - 1) % len(COLOURS)]
    with picture(path, 6.5, 1.2 + 0.24 * len(shown)) as figure:
        axes = figure.subplots()
        axes.hlines(rows, shown[first], shown[second], color=GRID, linewidth=3, zorder=1)
        for column, colour in ((first, COLOURS[0]), (second, last)):
            axes.scatter(shown[column], rows, s=28, color=colour, label=shorten(str(column), LONGEST_NAME), zorder=2)
        axes.set_yticks(rows, [shorten(str(name), LONGEST_NAME) for name in shown.index], fontsize=8)
        axes.set_xlim(-0.04, 1.04)
        axes.set_xlabel("F1")
        axes.grid(axis="y", visible=False)
        axes.set_title(title)
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
