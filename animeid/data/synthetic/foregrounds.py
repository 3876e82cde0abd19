"""Things that come before the figure and hide some of it, in units of a sheet of two by two round (0, 0)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import WHITE, lit, shaded
from animeid.data.synthetic.curves import closed, ellipse, star
from animeid.data.synthetic.traits import RGB


def draw_foreground(canvas: Canvas, name: str, rng: np.random.Generator) -> None:
    """Draws what hides the figure; `none` draws nothing."""
    painter = _PAINTERS.get(name)
    if painter is not None:
        painter(canvas, rng)


def _petals(canvas: Canvas, rng: np.random.Generator) -> None:
    for x, y, turn in rng.uniform(-1, 1, size=(9, 3)):
        petal = closed([(-0.1, 0.0), (0.0, -0.055), (0.1, -0.01), (0.08, 0.03), (0.0, 0.055)], 4)
        cos, sin = np.cos(3 * turn), np.sin(3 * turn)
        canvas.part(petal @ np.array([[cos, sin], [-sin, cos]]) + (x, y), (255, 184, 202), outline=0.6)


def _bubble(canvas: Canvas, rng: np.random.Generator) -> None:
    side = -1 if rng.random() < 0.5 else 1
    x, y = side * rng.uniform(0.72, 0.9), rng.uniform(-0.85, -0.6)
    canvas.part(np.array([(x - 0.12 * side, y + 0.1), (x - 0.02 * side, y + 0.2), (x - 0.42 * side, y + 0.42)]), WHITE)
    canvas.part(ellipse(x, y, 0.4, 0.27), WHITE)
    for line, width in enumerate((0.22, 0.26, 0.16)):
        row = np.array([(x - width, y + 0.1 * (line - 1)), (x + width, y + 0.1 * (line - 1))])
        canvas.stroke(row, (96, 92, 108), 1.3, (1, 1))


def _book(canvas: Canvas, rng: np.random.Generator) -> None:
    cover: RGB = ((188, 74, 82), (72, 106, 168), (84, 142, 110))[rng.integers(3)]
    x, y = rng.uniform(-0.5, 0.5), rng.uniform(0.62, 0.85)
    canvas.part(np.array([(-0.4, -0.2), (0.4, -0.2), (0.42, 0.6), (-0.42, 0.6)]) + (x, y), cover)
    canvas.part(np.array([(-0.03, -0.2), (0.03, -0.2), (0.03, 0.6), (-0.03, 0.6)]) + (x, y), shaded(cover), outline=0.5)
    canvas.part(
        np.array([(0.1, -0.06), (0.34, -0.06), (0.34, 0.06), (0.1, 0.06)]) + (x, y), lit(cover, 0.7), outline=0.5
    )


def _leaves(canvas: Canvas, rng: np.random.Generator) -> None:
    green: RGB = ((92, 158, 92), (206, 120, 62), (66, 128, 112))[rng.integers(3)]
    side = -1 if rng.random() < 0.5 else 1
    for step in range(6):
        x, y = side * (1.02 - 0.13 * step), 0.42 + 0.13 * step + rng.uniform(-0.08, 0.08)
        leaf = closed([(0.0, -0.26), (0.11, -0.05), (0.0, 0.26), (-0.11, -0.05)], 5)
        angle = rng.uniform(-0.9, 0.9)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = leaf @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
        canvas.part(turned, green, Tone(turned + (0.08, 0.03), shaded(green)))


def _sparkles(canvas: Canvas, rng: np.random.Generator) -> None:
    for x, y, size in rng.uniform(-1, 1, size=(8, 3)):
        canvas.part(star(x, y, 0.09 + 0.04 * size, 4, 0.3), (255, 244, 168), outline=0.5)


_PAINTERS: dict[str, Callable[[Canvas, np.random.Generator], None]] = {
    "petals": _petals,
    "bubble": _bubble,
    "book": _book,
    "leaves": _leaves,
    "sparkles": _sparkles,
}
