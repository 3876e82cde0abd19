"""Many pictures with captions on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from PIL import Image, ImageOps

from animeid.data.picture_files import decode
from animeid.data.settings import DataSettings
from animeid.imaging.decode import UnreadableImage
from animeid.plots.picture import MUTED, picture, shorten

TILE = 1.35
"""Inches of a picture's side."""

PIXELS = 160
LINE = 0.14
GAP = 0.12
LONGEST_LINE = 25


@dataclass(frozen=True)
class Tile:
    """A picture file, the lines below it, and the colour of its frame."""

    path: Path
    lines: tuple[str, ...] = ()
    frame: str | None = None


def thumbnail(path: Path, side: int = PIXELS) -> np.ndarray:
    """`[side, side, 3]` uint8: the whole picture, on white where it is no square.

    Raises:
        UnreadableImage: with the reason.
    """
    found = Image.fromarray(decode(path, DataSettings.max_pixels, side, incomplete=True))
    return np.asarray(ImageOps.pad(found, (side, side), color="white"))


def draw_contact_sheet(tiles: Sequence[Tile], path: Path, title: str, columns: int = 6) -> None:
    """Draws the tiles row by row; a file that cannot be read leaves its place empty and says why."""
    below = LINE * max((len(tile.lines) for tile in tiles), default=0)
    columns = max(1, min(columns, len(tiles)))
    rows = -(-len(tiles) // columns)
    width, height = columns * (TILE + GAP), rows * (TILE + below + GAP)
    with picture(path, width, max(height, 0.4)) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_title(title if tiles else f"{title}: none")
        for place, tile in enumerate(tiles):
            row, column = divmod(place, columns)
            _draw_tile(axes, tile, column * (TILE + GAP), row * (TILE + below + GAP))
        axes.set_xlim(0, width)
        axes.set_ylim(max(height, 0.4), 0)
        axes.set_aspect("equal")
        axes.axis("off")


def _draw_tile(axes: Axes, tile: Tile, left: float, top: float) -> None:
    box = (left, left + TILE, top + TILE, top)
    try:
        axes.imshow(thumbnail(tile.path), extent=box, interpolation="lanczos")
    except UnreadableImage as error:
        middle: dict[str, Any] = {"ha": "center", "va": "center", "color": MUTED, "fontsize": 7}
        axes.text(left + TILE / 2, top + TILE / 2, shorten(str(error), LONGEST_LINE), **middle)
    axes.plot(
        [left, left + TILE, left + TILE, left, left],
        [top, top, top + TILE, top + TILE, top],
        color=tile.frame or "#d5d8dc",
        linewidth=2.2 if tile.frame else 0.6,
    )
    for number, line in enumerate(tile.lines):
        text = shorten(line, LONGEST_LINE)
        axes.text(left, top + TILE + LINE * (number + 0.75), text, fontsize=6.5, va="center")
