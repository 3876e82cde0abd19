"""Reliability diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from animeid.plots.picture import BLUE, GREEN, MUTED, picture, side_note


def draw_reliability(part: Mapping[str, Any], temperature: float | None, path: Path, title: str) -> None:
    """Draws a part of `calibration.json`: accuracy against confidence, before and after temperature scaling."""
    panels = [("as trained", part["bins"], part["ece"], BLUE)]
    if temperature is not None:
        panels.append((f"temperature {temperature:.2f}", part["bins_scaled"], part["ece_scaled"], GREEN))
    with picture(path, 3.2 * len(panels) + 0.2, 3.3) as figure:
        every = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (name, bins, ece, colour) in zip(every, panels, strict=True):
            _panel(axes, bins, colour)
            axes.set_title(f"{title}, {name}" if len(panels) == 1 else name)
            side_note(axes, f"ECE {ece:.3f}")
        every[0].set_ylabel("share that is right")


def _panel(axes: Axes, bins: Sequence[Mapping[str, Any]], colour: str) -> None:
    """A bar a bin, the darker the more pictures it holds; right answers would follow the diagonal."""
    most = max((one["count"] for one in bins), default=1)
    for one in bins:
        axes.bar(
            one["low"],
            one["accuracy"],
            width=one["high"] - one["low"],
            align="edge",
            color=colour,
            alpha=0.25 + 0.7 * one["count"] / most,
            linewidth=0.5,
            edgecolor="white",
        )
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence")
