"""A supersampled sheet on which areas, clipped shadows and tapered lines are put, in figure coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from animeid.data.synthetic.curves import Points, ribbon
from animeid.data.synthetic.ink import Ink, Layer
from animeid.data.synthetic.traits import RGB


@dataclass(frozen=True)
class Frame:
    """Figure coordinates to pixels: `points @ matrix + shift`; matrix `[2, 2]`, shift `[2]`."""

    matrix: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(cls, unit: float, shift: tuple[float, float], flip: bool) -> Frame:
        """unit: pixels to a unit. shift: pixels of the figure's origin."""
        return cls(np.array([[-unit if flip else unit, 0.0], [0.0, unit]]), np.array(shift))

    def turned(self, angle: float, x: float, y: float) -> Frame:
        """The frame with the figure turned by `angle` radians round the figure's point (x, y)."""
        cos, sin = math.cos(angle), math.sin(angle)
        rotation = np.array([[cos, sin], [-sin, cos]])
        pivot = np.array([x, y])
        return Frame(rotation @ self.matrix, (pivot - pivot @ rotation) @ self.matrix + self.shift)


_SLANT = 0.6  # of hatching


class Tone(NamedTuple):
    """A shadow, a highlight or a detail that is drawn within an area only."""

    points: Points
    colour: RGB
    layer: Layer = "shade"


class Canvas:
    """Draws on `image` (RGB) in place.

    line: pixels of the usual line. extent: pixel bounds (left, top, right, bottom) of all parts
    that show so far.
    """

    def __init__(self, image: Image.Image, frame: Frame, ink: Ink, line: float, rng: np.random.Generator) -> None:
        self.image = image
        self.frame = frame
        self.ink = ink
        self.line = line
        self.extent = np.array([np.inf, np.inf, -np.inf, -np.inf])
        self._draw = ImageDraw.Draw(image)
        self._rng = rng

    def part(self, points: Points, colour: RGB, *tones: Tone, outline: float = 1.0) -> None:
        """An area with what lies on it and a line round it. outline: times the usual width, 0 for none."""
        pixels = self._pixels(points)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        if (high > 0).all() and (low < self.image.size).all():
            self.extent[:2] = np.minimum(self.extent[:2], low)
            self.extent[2:] = np.maximum(self.extent[2:], high)
        self._draw.polygon(_flat(pixels), fill=self.ink.paint(colour))
        shown = [tone for tone in tones if tone.layer in self.ink.layers]
        if shown:
            self._clipped(pixels, low, high, shown)
        if outline and self.ink.outline:
            self._outline(pixels, self.ink.line(colour), outline * self.ink.outline * self.line)

    def fill(self, points: Points, colour: RGB) -> None:
        """An area without a line, as it is in every style."""
        self._draw.polygon(_flat(self._pixels(points)), fill=self.ink.paint(colour))

    def stroke(self, points: Points, colour: RGB, width: float = 1.0, ends: tuple[float, float] = (0.2, 0.2)) -> None:
        """A line that swells in the middle. width: times the usual one. ends: share of it at start and end."""
        half = max(0.5, width * self.line / 2)
        pixels = self._pixels(points)
        for turn in range(self.ink.passes):
            line = pixels if turn == 0 else self._trembling(pixels)
            band = ribbon(line, (half * ends[0], half, half, half * ends[1]))
            self._draw.polygon(_flat(band), fill=self.ink.paint(colour))

    def crease(self, points: Points, colour: RGB, width: float = 0.7, ends: tuple[float, float] = (0.2, 0.1)) -> None:
        """A line inside an area (a fold, a strand), which styles without line art leave out."""
        if self.ink.outline:
            self.stroke(points, self.ink.line(colour), width, ends)

    def _pixels(self, points: Points) -> np.ndarray:
        return np.asarray(points, dtype=float) @ self.frame.matrix + self.frame.shift

    def _outline(self, pixels: np.ndarray, colour: RGB, width: float) -> None:
        ring = np.concatenate([pixels, pixels[:2]])
        for turn in range(self.ink.passes):
            line = ring if turn == 0 else self._trembling(ring)
            self._draw.line(_flat(line), fill=colour, width=max(1, round(width)))

    def _trembling(self, pixels: np.ndarray) -> np.ndarray:
        """The line as a hand would draw it again: slightly beside itself, in slow waves."""
        along = np.linspace(0, 1, len(pixels))[:, None]
        waves, phase = self._rng.uniform(2, 5, size=(1, 2)), self._rng.uniform(0, 2 * np.pi, size=(1, 2))
        return pixels + self.line * 0.9 * np.sin(2 * np.pi * waves * along + phase)

    def _clipped(self, pixels: np.ndarray, low: np.ndarray, high: np.ndarray, tones: list[Tone]) -> None:
        left, top = (max(0, math.floor(edge)) for edge in low.tolist())
        right, bottom = (
            min(side, math.ceil(edge) + 1) for side, edge in zip(self.image.size, high.tolist(), strict=True)
        )
        if right <= left or bottom <= top:
            return
        region = self.image.crop((left, top, right, bottom))
        draw = ImageDraw.Draw(region)
        for tone in tones:
            self._tone(draw, self._pixels(tone.points) - (left, top), tone)
        mask = Image.new("1", region.size)
        ImageDraw.Draw(mask).polygon(_flat(pixels - (left, top)), fill=1)
        self.image.paste(region, (left, top), mask)

    def _tone(self, draw: ImageDraw.ImageDraw, pixels: np.ndarray, tone: Tone) -> None:
        colour = self.ink.paint(tone.colour)
        if self.ink.hatch and tone.layer == "shade":
            self._hatch(draw, pixels, self.ink.line(tone.colour))
        else:
            draw.polygon(_flat(pixels), fill=colour)

    def _hatch(self, draw: ImageDraw.ImageDraw, pixels: np.ndarray, colour: RGB) -> None:
        """Slanted parallel lines within the area: where each meets the area's edges, in pairs."""
        height = pixels[:, 1] + _SLANT * pixels[:, 0]
        after = np.concatenate([pixels[1:], pixels[:1]])
        rise = np.concatenate([height[1:], height[:1]]) - height
        levels = np.arange(height.min(), height.max(), 2.6 * self.line)
        below = height[None] <= levels[:, None]
        row, edge = np.nonzero(below != np.concatenate([below[:, 1:], below[:, :1]], axis=1))
        share = (levels[row] - height[edge]) / rise[edge]
        meets = pixels[edge] + share[:, None] * (after[edge] - pixels[edge])
        # A closed outline crosses each level an even number of times, so that neighbours in this order are pairs.
        meets = meets[np.lexsort((meets[:, 0], row))].reshape(-1, 4)
        width = max(1, round(0.45 * self.line))
        for line in meets.tolist():
            draw.line(line, fill=colour, width=width)


def _flat(pixels: np.ndarray) -> list[float]:
    return pixels.ravel().tolist()
