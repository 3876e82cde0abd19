"""Charts of models that are compared: bars, stars, and accuracy against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.projections.polar import PolarAxes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from animeid.plots.picture import BLUE, GRID, INK, MUTED, ORANGE, picture, shorten, side_note

LONGEST_NAME = 26
ACROSS = 3
"""Panels of bars beside one another."""
RADARS_ACROSS = 4
MOST_STARS = 5
LARGEST, SMALLEST = 1500.0, 40.0
"""Areas of discs, in square points."""


class Bars(NamedTuple):
    """A panel of bars.

    title: with the unit. values: `[M]`, NaN where there is none. low, high: `[M]`, the intervals' ends, NaN without.
    best: whether each is the best, or equal to it.
    """

    title: str
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    best: Sequence[bool]


def draw_bars(names: Sequence[str], panels: Sequence[Bars], path: Path) -> None:
    """Draws a panel a figure with a bar a model, the best and those equal to it in full colour."""
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    with picture(path, 2.0 + 2.6 * across, down * (0.75 + 0.27 * len(names))) as figure:
        every = np.atleast_1d(figure.subplots(down, across, sharey=True)).ravel()
        for axes, bars in zip(every, panels, strict=False):
            _bars(axes, names, bars)
        for axes in every[len(panels) :]:
            axes.set_axis_off()


def _bars(axes: Axes, names: Sequence[str], bars: Bars) -> None:
    rows = np.arange(len(names))
    colours = [BLUE if best else "#a9c4e2" for best in bars.best]
    axes.barh(rows, np.nan_to_num(bars.values), color=colours, height=0.66)
    there = ~np.isnan(bars.low) & ~np.isnan(bars.high) & (bars.high > bars.low)
    if there.any():
        axes.hlines(rows[there], bars.low[there], bars.high[there], color=INK, linewidth=1.2)
    ends = np.where(there, np.maximum(bars.values, bars.high), bars.values)
    for row, value, end in zip(rows.tolist(), bars.values, ends, strict=True):
        text = "–" if np.isnan(value) else f" {_short(value)}"
        axes.text(0 if np.isnan(value) else end, float(row), text, va="center", fontsize=8)
    axes.set_xlim(0, 1.28 * max(np.nanmax(ends, initial=0), 1e-9))
    axes.set_yticks(rows, [shorten(name, LONGEST_NAME) for name in names], fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_title(bars.title, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


def _short(value: float) -> str:
    """Three digits, and as many as there are before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def draw_radars(names: Sequence[str], stars: Mapping[str, Sequence[int | None]], path: Path) -> None:
    """Draws the stars of each model, in a radar of its own; those of the others lie behind it in grey.

    Args:
        stars: by what they are for, one a model; None counts as no star.
    """
    across = min(RADARS_ACROSS, len(names))
    down = -(-len(names) // across)
    angles = np.linspace(0, 2 * np.pi, len(stars), endpoint=False)
    values = np.array([[one or 0 for one in each] for each in stars.values()], float).T
    with picture(path, 2.7 * across, 2.5 * down) as figure:
        every = np.atleast_1d(figure.subplots(down, across, subplot_kw={"projection": "polar"})).ravel()
        for number, axes in enumerate(every):
            if number >= len(names):
                axes.set_axis_off()
                continue
            _radar(axes, angles, list(stars))
            for other in range(len(names)):
                if other != number:
                    _outline(axes, angles, values[other], "#c3c8cf", 0.8)
            _outline(axes, angles, values[number], BLUE, 1.8)
            axes.fill(angles, values[number], color=BLUE, alpha=0.22)
            axes.set_title(shorten(names[number], LONGEST_NAME), loc="center", fontsize=9, pad=14)


def _radar(axes: PolarAxes, angles: np.ndarray, titles: Sequence[str]) -> None:
    axes.set_theta_offset(np.pi / 2)
    axes.set_theta_direction(-1)
    axes.set_ylim(0, MOST_STARS)
    axes.set_yticks(range(1, MOST_STARS + 1), [""] * MOST_STARS)
    axes.set_xticks(angles, titles, fontsize=7)
    axes.tick_params(axis="x", pad=-1)
    for label, angle in zip(axes.get_xticklabels(), angles, strict=True):
        side = np.sin(angle)
        label.set_horizontalalignment("center" if abs(side) < 0.1 else "left" if side > 0 else "right")
    axes.spines["polar"].set_visible(True)
    axes.spines["polar"].set_color(GRID)


def _outline(axes: Axes, angles: np.ndarray, values: np.ndarray, colour: str, width: float) -> None:
    axes.plot(np.append(angles, angles[0]), np.append(values, values[0]), color=colour, linewidth=width)


class Point(NamedTuple):
    """A model among the others.

    milliseconds: of one picture. accuracy: f1_macro, 0 to 1. low, high: its interval, NaN without. megabytes: the area.
    on_front: whether no other is better in both.
    """

    name: str
    milliseconds: float
    accuracy: float
    low: float
    high: float
    megabytes: float
    on_front: bool


def draw_accuracy_against_time(points: Sequence[Point], path: Path) -> None:
    """Draws each model as a disc whose area is its size, those on the Pareto front in colour and joined by a line.

    Discs are numbered, and the names stand beside: near one another, names would lie on each other.
    """
    with picture(path, 8.4, max(3.9, 1.2 + 0.24 * len(points))) as figure:
        axes = figure.subplots()
        front = sorted((point for point in points if point.on_front), key=lambda point: point.milliseconds)
        axes.step(
            [point.milliseconds for point in front],
            [100 * point.accuracy for point in front],
            where="post",
            color=ORANGE,
            linewidth=1.2,
            linestyle=(0, (4, 3)),
            zorder=1,
        )
        largest = max(point.megabytes for point in points)
        for number, point in enumerate(points, 1):
            colour = ORANGE if point.on_front else "#9aa5b4"
            area = max(LARGEST * point.megabytes / largest, SMALLEST)
            x, y = point.milliseconds, 100 * point.accuracy
            axes.vlines(x, 100 * point.low, 100 * point.high, color=colour, linewidth=1, alpha=0.7, zorder=2)
            axes.scatter(x, y, s=area, color=colour, alpha=0.35, linewidths=0, zorder=2)
            axes.scatter(x, y, s=14, color=colour, linewidths=0, zorder=3)
            axes.annotate(str(number), (x, y), (5, 4), textcoords="offset points", fontsize=9, zorder=4)
        axes.margins(y=0.16)
        _names(axes, points)
        _scale(axes, [point.milliseconds for point in points])
        axes.set_xlabel("milliseconds for one picture")
        axes.set_ylabel("f1_macro, %")
        axes.set_title("accuracy against time")
        side_note(axes, "area: size; orange: Pareto front")


def _names(axes: Axes, points: Sequence[Point]) -> None:
    for line, point in enumerate(points):
        text = f"{line + 1}  {shorten(point.name, LONGEST_NAME)} ({_short(point.megabytes)} MB)"
        colour = INK if point.on_front else MUTED
        axes.annotate(
            text, (1.03, 1), (0, -13 * line), "axes fraction", "offset points", fontsize=8, va="top", color=colour
        )


def _scale(axes: Axes, times: Sequence[float]) -> None:
    """Times on a logarithmic axis, with room for discs at both ends."""
    axes.set_xscale("log")
    axes.set_xlim(min(times) / 1.6, max(times) * 1.6)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
