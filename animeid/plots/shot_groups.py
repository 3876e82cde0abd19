"""The training pictures of each class, and which of the groups many, medium and few it is in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.ticker import FuncFormatter

from animeid.plots.picture import BLUE, MUTED, ORANGE, picture


def draw_shot_groups(counts: np.ndarray, many_above: int, few_below: int, path: Path) -> None:
    """Draws the training pictures of each class, `[C]`, the most frequent first, with the bounds of the groups."""
    ordered = np.sort(counts)[::-1]
    with picture(path, 6.0, 2.8) as figure:
        axes = figure.subplots()
        colours = [ORANGE if count < few_below else BLUE for count in ordered]
        axes.bar(np.arange(len(ordered)) + 1, ordered, width=0.9, color=colours, linewidth=0)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_ylim(0.8, max(ordered.max(), many_above) * 1.5)
        for bound, name in ((many_above, "many above"), (few_below, "few below (orange)")):
            axes.axhline(bound, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
            axes.text(len(ordered) + 0.5, bound * 1.08, f"{name} {bound}", ha="right", fontsize=7, color=MUTED)
        axes.set_xlim(0.4, len(ordered) + 0.6)
        axes.set_title("Training pictures of each class")
        ratio = ordered[0] / max(ordered[-1], 1)
        axes.set_title(f"{ordered[0]:,} to {ordered[-1]:,}, ratio {ratio:.0f}", loc="right", fontsize=8, color=MUTED)
        axes.set_xlabel("classes, by number of pictures")
        axes.grid(axis="x", visible=False)
