"""How many pictures each class has, and how large they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from animeid.plots.picture import BLUE, MUTED, keep_integers, picture, shorten

NAMED_UP_TO = 40
LONGEST_NAME = 24


def draw_long_tail(counts: pd.Series, path: Path, title: str) -> None:
    """Draws pictures of classes, `counts` by name, from the largest to the smallest class."""
    counts = counts.sort_values(ascending=False, kind="stable")
    names = len(counts) <= NAMED_UP_TO
    with picture(path, 8 if names else 6.5, 3.6) as figure:
        axes = figure.subplots()
        ranks = np.arange(1, len(counts) + 1)
        axes.bar(ranks, counts.to_numpy(), width=0.8 if names else 1.0, color=BLUE, alpha=0.85)
        axes.set_title(title)
        ratio = counts.iloc[0] / counts.iloc[-1]
        axes.set_title(f"largest over smallest {ratio:.1f}", loc="right", fontsize=8, color=MUTED)
        axes.set_ylabel("pictures")
        if names:
            labels = [shorten(str(name), LONGEST_NAME) for name in counts.index]
            axes.set_xticks(ranks, labels, rotation=90, fontsize=7)
        else:
            axes.set_xlabel("class, by rank")
            keep_integers(axes)
        axes.grid(axis="x", visible=False)


def draw_sizes(widths: np.ndarray, heights: np.ndarray, path: Path, title: str) -> None:
    """Draws widths against heights, `[N]` each in pixels; a larger dot stands for more pictures of one size."""
    sizes, counts = np.unique(np.stack([widths, heights], axis=1), axis=0, return_counts=True)
    with picture(path, 4.6, 4.2) as figure:
        axes = figure.subplots()
        area = 12 + 160 * counts / counts.max()
        axes.scatter(sizes[:, 0], sizes[:, 1], s=area, color=BLUE, alpha=0.55, linewidths=0)
        ends = [float(sizes.min()) / 1.4, float(sizes.max()) * 1.4]
        axes.plot(ends, ends, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        for axis, name in ((axes.xaxis, "width in pixels"), (axes.yaxis, "height in pixels")):
            axis.axes.set(
                **{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": ends, f"{axis.axis_name}label": name}
            )
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
        axes.set_title(title)
        axes.set_title(f"{len(sizes):,} sizes", loc="right", fontsize=8, color=MUTED)
