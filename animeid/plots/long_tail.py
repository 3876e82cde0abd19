"""Numbers of pictures of the classes, and their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from animeid.plots.picture import BLUE, MUTED, ORANGE, keep_integers, picture, shorten, side_note
from animeid.system.console import counted

NAMED_UP_TO = 40
LONGEST_NAME = 24
NAME_SIZE = 8


def draw_long_tail(counts: pd.Series, path: Path, title: str) -> None:
    """Draws pictures of classes, `counts` by name, from the largest to the smallest class."""
    counts = counts.sort_values(ascending=False, kind="stable")
    names = len(counts) <= NAMED_UP_TO
    with picture(path, 8 if names else 6.5, 3.6) as figure:
        axes = figure.subplots()
        ranks = np.arange(1, len(counts) + 1)
        _bars(axes, counts.to_numpy(), 0.8 if names else 1.0, BLUE, alpha=0.85)
        axes.set_ylim(bottom=0)
        axes.set_title(title)
        side_note(axes, f"largest over smallest {counts.iloc[0] / counts.iloc[-1]:.1f}")
        axes.set_ylabel("pictures")
        axes.yaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]  # there are no 3.25 pictures
        if names:
            labels = [shorten(str(name), LONGEST_NAME) for name in counts.index]
            axes.set_xticks(ranks, labels, rotation=90, fontsize=NAME_SIZE)
        else:
            axes.set_xlabel("class, by rank")
            keep_integers(axes)
        axes.grid(axis="x", visible=False)


def _bars(axes: Axes, heights: np.ndarray, width: float, colours: str | list[str], alpha: float) -> None:
    """Draws bars at 1, 2, ... as one thing: each of `Axes.bar` is one of its own, and costs a millisecond."""
    left = np.arange(1, len(heights) + 1) - width / 2
    sides, ends = np.stack([left, left, left + width, left + width], axis=1), np.zeros((len(heights), 4))
    ends[:, 1:3] = heights[:, None]
    axes.add_collection(
        PolyCollection(list(np.stack([sides, ends], axis=2)), facecolors=colours, linewidths=0, alpha=alpha),
        autolim=True,
    )
    axes.autoscale_view()


def draw_shot_groups(counts: np.ndarray, labels: Sequence[str], many_above: int, few_below: int, path: Path) -> None:
    """Draws the training pictures of each class, `[C]`, the most frequent first, with the bounds of the groups."""
    order = np.argsort(-counts, kind="stable")
    ordered, ranks = counts[order], np.arange(len(counts)) + 1
    with picture(path, 7.0, 2.8) as figure:
        axes = figure.subplots()
        colours = [ORANGE if count < few_below else BLUE for count in ordered]
        _bars(axes, ordered, 0.9, colours, alpha=1.0)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_ylim(0.8, max(ordered.max(), many_above) * 1.5)
        for bound, name in ((many_above, "many above"), (few_below, "few below (orange)")):
            axes.axhline(bound, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
            axes.text(len(ordered) + 0.5, bound * 1.08, f"{name} {bound}", ha="right", fontsize=NAME_SIZE, color=MUTED)
        axes.set_xlim(0.4, len(ordered) + 0.6)
        axes.set_title("Training pictures of each class")
        ratio = ordered[0] / max(ordered[-1], 1)
        side_note(axes, f"{ordered[0]:,} to {ordered[-1]:,}, ratio {ratio:.0f}")
        axes.grid(axis="x", visible=False)
        if len(labels) <= NAMED_UP_TO:
            names = [shorten(labels[place], LONGEST_NAME) for place in order]
            axes.set_xticks(ranks, names, rotation=90, fontsize=NAME_SIZE)
        else:
            axes.set_xlabel(f"{len(labels):,} classes, the most frequent first")
            keep_integers(axes)


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
        side_note(axes, counted(len(sizes), "size"))
