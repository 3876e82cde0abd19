"""Ten kinds of background in free colours, painted straight onto the sheet in shares of its side."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from animeid.data.synthetic.colours import lit, mix, shaded
from animeid.data.synthetic.curves import Points, ellipse
from animeid.data.synthetic.ink import Ink
from animeid.data.synthetic.traits import RGB


class Backdrop:
    """A square sheet with room for free colours. side: pixels."""

    def __init__(self, side: int, ink: Ink, rng: np.random.Generator) -> None:
        self.side = side
        self.rng = rng
        self._ink = ink
        self.image = Image.new("RGB", (side, side))
        self._draw = ImageDraw.Draw(self.image)

    def area(self, points: Points, colour: RGB) -> None:
        """An area whose points are shares of the side."""
        self._draw.polygon((np.asarray(points) * self.side).ravel().tolist(), fill=self._ink.paint(colour))

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        self.area(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]), colour)

    def gradient(self, top: RGB, bottom: RGB) -> None:
        """The whole sheet, from one colour to another."""
        upper = np.array(self._ink.paint(top), dtype=float)
        lower = np.array(self._ink.paint(bottom), dtype=float)
        rows = upper + (lower - upper) * np.linspace(0, 1, self.side)[:, None]
        column = Image.fromarray(rows.round().astype(np.uint8)[:, None, :])
        self.image.paste(column.resize((self.side, self.side), Image.Resampling.NEAREST))

    def colour(self, saturation: tuple[float, float] = (0.2, 0.55), value: tuple[float, float] = (0.7, 1.0)) -> RGB:
        """Any hue, at a saturation and a value from the given ranges."""
        rgb = colorsys.hsv_to_rgb(self.rng.random(), self.rng.uniform(*saturation), self.rng.uniform(*value))
        red, green, blue = (round(255 * channel) for channel in rgb)
        return red, green, blue


def draw_background(name: str, side: int, ink: Ink, rng: np.random.Generator) -> Image.Image:
    """A square RGB picture of `side` pixels."""
    backdrop = Backdrop(side, ink, rng)
    _PAINTERS[name](backdrop)
    return backdrop.image


def _plain(backdrop: Backdrop) -> None:
    colour = backdrop.colour((0.1, 0.6), (0.55, 1.0))
    backdrop.gradient(lit(colour, 0.35), colour)


def _sky(backdrop: Backdrop) -> None:
    backdrop.gradient((98, 168, 240), (206, 234, 252))
    for _ in range(4):
        x, y = backdrop.rng.random(2)
        for dx, dy, size in ((-0.1, 0.02, 0.08), (0.0, -0.02, 0.11), (0.11, 0.02, 0.08), (0.0, 0.04, 0.14)):
            backdrop.area(ellipse(x + dx, 0.8 * y + dy, size, 0.55 * size, 18), (250, 253, 255))


def _sunset(backdrop: Backdrop) -> None:
    backdrop.gradient((126, 92, 168), (255, 180, 112))
    backdrop.area(ellipse(backdrop.rng.uniform(0.1, 0.9), 0.72, 0.16, 0.16, 28), (255, 236, 182))
    backdrop.area(_hills(backdrop, 0.8), (112, 74, 118))
    backdrop.area(_hills(backdrop, 0.9), (80, 54, 96))


def _hills(backdrop: Backdrop, height: float) -> Points:
    x = np.linspace(0, 1, 24)
    phase = backdrop.rng.uniform(0, 6.28, 2)
    y = height + 0.04 * np.sin(5 * x + phase[0]) + 0.02 * np.sin(13 * x + phase[1])
    return np.concatenate([np.stack([x, y], axis=1), [(1, 1), (0, 1)]])


def _night(backdrop: Backdrop) -> None:
    backdrop.gradient((28, 32, 84), (96, 86, 150))
    for x, y, size in backdrop.rng.random((24, 3)):
        backdrop.area(ellipse(x, y, 0.004 + 0.008 * size, 0.004 + 0.008 * size, 8), (250, 244, 210))
    x = backdrop.rng.uniform(0.1, 0.9)
    backdrop.area(ellipse(x, 0.18, 0.1, 0.1, 24), (252, 240, 196))
    backdrop.area(ellipse(x + 0.045, 0.16, 0.09, 0.09, 24), (40, 42, 96))


def _city(backdrop: Backdrop) -> None:
    top = backdrop.colour((0.15, 0.5))
    backdrop.gradient(top, lit(top, 0.6))
    for depth in (0.5, 0.8):
        wall = mix(top, (70, 76, 110), depth)
        for left in np.arange(-0.05, 1.0, 0.17):
            roof = backdrop.rng.uniform(0.25, 0.75)
            backdrop.box(left, roof, left + 0.15, 1.0, wall)
            for row in np.arange(roof + 0.05, 1.0, 0.12):
                backdrop.box(left + 0.03, row, left + 0.06, row + 0.05, lit(wall, 0.5))
                backdrop.box(left + 0.09, row, left + 0.12, row + 0.05, lit(wall, 0.35))


def _petals(backdrop: Backdrop) -> None:
    base = backdrop.colour((0.1, 0.35), (0.85, 1.0))
    backdrop.gradient(lit(base, 0.5), base)
    for x, y, size, slant in backdrop.rng.random((26, 4)):
        backdrop.area(
            ellipse(x, y, 0.012 + 0.03 * size, 0.01 + 0.02 * slant, 12), mix((255, 170, 192), base, 0.4 * slant)
        )


def _stripes(backdrop: Backdrop) -> None:
    first = backdrop.colour((0.2, 0.6), (0.6, 1.0))
    second = lit(first, 0.35)
    backdrop.gradient(first, first)
    slant, width = backdrop.rng.uniform(-0.6, 0.6), backdrop.rng.uniform(0.05, 0.12)
    for left in np.arange(-0.8, 1.6, 2 * width):
        backdrop.area(np.array([(left, 0), (left + width, 0), (left + width + slant, 1), (left + slant, 1)]), second)


def _dots(backdrop: Backdrop) -> None:
    base = backdrop.colour((0.15, 0.55), (0.7, 1.0))
    backdrop.gradient(base, base)
    step = backdrop.rng.uniform(0.1, 0.18)
    for row, y in enumerate(np.arange(0, 1 + step, step)):
        for x in np.arange(0, 1 + step, step):
            backdrop.area(ellipse(x + step / 2 * (row % 2), y, 0.25 * step, 0.25 * step, 12), lit(base, 0.5))


def _rays(backdrop: Backdrop) -> None:
    base = backdrop.colour((0.3, 0.7), (0.7, 1.0))
    backdrop.gradient(base, base)
    for angle in np.arange(0, 2 * np.pi, np.pi / 9):
        tips = np.array([(np.cos(turn), np.sin(turn)) for turn in (angle, angle + np.pi / 18)])
        backdrop.area(np.concatenate([[(0.5, 0.5)], 0.5 + tips]), lit(base, 0.45))


def _room(backdrop: Backdrop) -> None:
    wall = backdrop.colour((0.08, 0.3), (0.75, 0.98))
    backdrop.gradient(wall, wall)
    left = backdrop.rng.uniform(-0.15, 0.65)
    backdrop.box(left - 0.02, 0.1, left + 0.5, 0.64, lit(wall, 0.7))
    backdrop.box(left, 0.12, left + 0.23, 0.62, (170, 212, 244))
    backdrop.box(left + 0.25, 0.12, left + 0.48, 0.62, (190, 224, 248))
    backdrop.area(
        np.array([(left - 0.08, 0.06), (left + 0.08, 0.06), (left - 0.02, 0.7), (left - 0.08, 0.72)]), backdrop.colour()
    )
    backdrop.box(0.0, 0.84, 1.0, 1.0, shaded(wall))


_PAINTERS: dict[str, Callable[[Backdrop], None]] = {
    "plain": _plain,
    "sky": _sky,
    "sunset": _sunset,
    "night": _night,
    "city": _city,
    "petals": _petals,
    "stripes": _stripes,
    "dots": _dots,
    "rays": _rays,
    "room": _room,
}
