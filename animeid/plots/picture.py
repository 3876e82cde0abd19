"""The house style of pictures, and writing them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from animeid.plots.fonts import font_families
from animeid.system.console import text_width
from animeid.system.files import atomic

DPI = 150
INK = "#2b2f36"
MUTED = "#7a808a"
GRID = "#e6e8eb"
BLUE, ORANGE, GREEN, PURPLE = "#2f6fb3", "#d9772b", "#3c9a6a", "#7d5ba6"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
"""Of lines in their order, as of several runs."""


def _style() -> Any:
    """matplotlib's settings; Any, since its stubs list every key as a literal."""
    return {
        "font.family": font_families(),
        "font.size": 9,
        "text.color": INK,
        "text.parse_math": False,  # a name may hold $ and _
        "axes.formatter.use_mathtext": False,
        "axes.edgecolor": "#b5bac2",
        "axes.labelcolor": INK,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "xtick.color": "#b5bac2",
        "ytick.color": "#b5bac2",
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "legend.framealpha": 0.85,
        "legend.edgecolor": "white",
        "lines.linewidth": 1.8,
        "lines.markersize": 4,
    }


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Figure]:
    """An empty figure of so many inches, written to `path` as PNG when the block ends well.

    What stands over the edge is not cut off: the picture grows. matplotlib's settings are as before afterwards, and
    pyplot is not touched.
    """
    with mpl.rc_context(_style()), warnings.catch_warnings():
        # A character that no font has, such as an emoji, is drawn as a box.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from font")
        figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        yield figure
        with atomic(path) as stream:
            figure.savefig(stream, format="png", bbox_inches="tight", pad_inches=0.12)


def keep_integers(axes: Axes) -> None:
    """Whole numbers only on the horizontal axis: there is no epoch 2.5."""
    axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]


def side_note(axes: Axes, text: str) -> None:
    """Writes a short fact right above the axes, beside their title."""
    axes.set_title(text, loc="right", fontsize=8, color=MUTED)


def shorten(text: str, width: int) -> str:
    """At most `width` half-width characters; what is cut from the middle becomes an ellipsis."""
    if text_width(text) <= width:
        return text
    head, tail = list(text), list(text)
    while text_width("".join(head)) > (width - 1) * 2 / 3:
        head.pop()
    while text_width("".join(tail)) > (width - 1) / 3:
        tail.pop(0)
    return "".join(head).rstrip() + "…" + "".join(tail).lstrip()
