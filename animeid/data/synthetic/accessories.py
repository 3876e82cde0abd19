"""Accessories: one on the head, glasses, eyepatch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import lit, shaded
from animeid.data.synthetic.curves import arcs, closed, ellipse, opened, ribbon, star
from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot
from animeid.data.synthetic.outfits import draw_bow
from animeid.data.synthetic.traits import HAIR_COLOURS, RGB

_RED: RGB = (226, 62, 84)
_DARK: RGB = (66, 60, 78)
_YELLOW: RGB = (255, 208, 74)

Painter = Callable[[Canvas, RGB, np.ndarray], None]


def draw_accessory(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """The accessory on top of the hair."""
    painter = _ACCESSORIES.get(traits.accessory)
    if painter is not None:
        painter(canvas, HAIR_COLOURS[traits.hair_colour], shot.shift(0.25))


def _ribbon(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    draw_bow(canvas, 0.0 + at[0], -1.28 + at[1], 0.66, _RED)


def _flower(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    centre = np.array([-0.74, -0.68]) + at
    for turn in np.arange(5) * 2 * np.pi / 5 - np.pi / 2:
        petal = ellipse(centre[0] + 0.2 * np.cos(turn), centre[1] + 0.2 * np.sin(turn), 0.18, 0.18, 14)
        canvas.part(petal, (255, 246, 250), outline=0.8)
    canvas.part(ellipse(centre[0], centre[1], 0.11, 0.11, 12), _YELLOW, outline=0.8)


def _hairpin(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    for x, y, size in ((0.66, -0.42, 0.24), (0.86, -0.12, 0.14)):
        canvas.part(star(x + at[0], y + at[1], size), _YELLOW)


def _headband(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    arch = opened([(-1.08, -0.3), (-0.9, -0.76), (-0.5, -1.06), (0.0, -1.15), (0.5, -1.06), (0.9, -0.76), (1.08, -0.3)])
    canvas.part(ribbon(arch + at, (0.1, 0.12, 0.12, 0.1)), (250, 250, 252))
    for x, y in ((-0.62, -1.08), (-0.3, -1.2), (0.0, -1.25), (0.3, -1.2), (0.62, -1.08)):
        canvas.part(ellipse(x + at[0], y + at[1], 0.17, 0.14, 14), (250, 250, 252), outline=0.8)


def _cat_ears(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    for side in (-1, 1):
        ear = arcs([(0.34, -1.12), (0.84, -1.74), (1.02, -0.72)], (0.1, 0.1)) * (side, 1) + at
        inner = arcs([(0.52, -1.1), (0.8, -1.5), (0.92, -0.86)], (0.08, 0.08)) * (side, 1) + at
        canvas.part(ear, hair, Tone(inner, (255, 186, 192), "detail"))


def _horns(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    bone: RGB = (126, 58, 74)
    for side in (-1, 1):
        spine = opened([(0.58, -0.98), (0.86, -1.2), (1.06, -1.3), (1.08, -1.66)]) * (side, 1) + at
        horn = ribbon(spine, (0.17, 0.15, 0.1, 0.01))
        canvas.part(horn, bone, Tone(horn + (0.1, 0.05), shaded(bone)))
        canvas.crease(spine[6:9] + (0.04, -0.06), bone)


def _beret(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    cap = (
        closed([(-1.12, -0.8), (-0.98, -1.4), (-0.2, -1.66), (0.72, -1.48), (1.06, -0.96), (0.5, -0.98), (-0.5, -0.78)])
        + at
    )
    shade = ellipse(0.5, -0.96, 0.9, 0.28) + at
    canvas.part(
        cap, _RED, Tone(shade, shaded(_RED)), Tone(ellipse(-0.5, -1.36, 0.26, 0.1, 14) + at, lit(_RED), "shine")
    )
    canvas.part(ribbon(opened([(-0.1, -1.6), (-0.06, -1.74), (0.04, -1.82)]) + at, (0.05, 0.05)), _RED)


def _headphones(canvas: Canvas, hair: RGB, at: np.ndarray) -> None:
    arch = opened([(-1.16, 0.1), (-1.16, -0.5), (-0.72, -1.2), (0.0, -1.42), (0.72, -1.2), (1.16, -0.5), (1.16, 0.1)])
    canvas.part(ribbon(arch + at, (0.06, 0.08, 0.08, 0.06)), _DARK)
    for side in (-1, 1):
        cup = ellipse(1.14 * side, 0.16, 0.2, 0.34) + at
        canvas.part(cup, (240, 240, 246), Tone(ellipse(1.16 * side, 0.16, 0.1, 0.2, 14) + at, (92, 196, 220), "detail"))


_ACCESSORIES: dict[str, Painter] = {
    "ribbon": _ribbon,
    "flower": _flower,
    "hairpin": _hairpin,
    "headband": _headband,
    "cat_ears": _cat_ears,
    "horns": _horns,
    "beret": _beret,
    "headphones": _headphones,
}


def draw_eyewear(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """Glasses or an eyepatch."""
    at = shot.shift(1.1)
    if traits.eyewear == "glasses":
        _draw_glasses(canvas, at)
    elif traits.eyewear == "eyepatch":
        strap = opened([(-1.0, 0.34), (-0.2, 0.06), (0.94, -0.5)])
        canvas.fill(ribbon(strap + at, (0.03, 0.03)), _DARK)
        patch = closed([(0.16, 0.06), (0.44, -0.06), (0.74, 0.08), (0.7, 0.42), (0.44, 0.62), (0.18, 0.44)]) * (-1, 1)
        canvas.part(patch + at, (244, 244, 248), Tone(patch + at + (0.12, 0.2), (206, 206, 220)))


def _draw_glasses(canvas: Canvas, at: np.ndarray) -> None:
    for side in (-1, 1):
        rim = closed(
            [(0.1, 0.12), (0.24, 0.02), (0.64, 0.0), (0.8, 0.1), (0.76, 0.5), (0.62, 0.62), (0.28, 0.62), (0.14, 0.5)]
        ) * (side, 1)
        ring = np.concatenate([rim, rim[:2]]) + at
        canvas.fill(ribbon(ring, (0.035, 0.035)), _RED)
        canvas.fill(ribbon(np.array([(0.8 * side, 0.14), (1.02 * side, 0.06)]) + at, (0.03, 0.03)), _RED)
    canvas.fill(ribbon(opened([(-0.12, 0.18), (0.0, 0.12), (0.12, 0.18)]) + at, (0.03, 0.03)), _RED)
