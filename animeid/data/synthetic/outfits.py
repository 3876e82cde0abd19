"""Outfits: cut, colours, neck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import mix, shaded
from animeid.data.synthetic.curves import closed, ellipse, opened, ribbon, symmetric
from animeid.data.synthetic.traits import RGB

_SHIRT: RGB = (248, 247, 250)
_GOLD: RGB = (250, 206, 92)

Choice = Callable[[RGB, RGB], RGB]


def _cloth(cloth: RGB, trim: RGB) -> RGB:
    return cloth


def _trim(cloth: RGB, trim: RGB) -> RGB:
    return trim


def _shirt(cloth: RGB, trim: RGB) -> RGB:
    return _SHIRT


def _no_pattern(cloth: RGB, trim: RGB) -> tuple[Tone, ...]:
    return ()


class Cut(NamedTuple):
    """The parts of an outfit. torso, skirt, cuff: which of its two colours they take."""

    bottom: Literal["skirt", "trousers", "suit", "gown"]
    sleeve: Literal["long", "short", "wide"]
    collar: Callable[[Canvas, RGB, RGB, RGB], None]
    torso: Choice = _cloth
    skirt: Choice = _cloth
    cuff: Choice = _trim
    pattern: Callable[[RGB, RGB], tuple[Tone, ...]] = _no_pattern


def _v_neck(canvas: Canvas, colour: RGB, depth: float) -> None:
    canvas.part(np.array([(-0.3, 1.3), (0.3, 1.3), (0.0, depth)]), colour, outline=0.8)


def draw_bow(canvas: Canvas, x: float, y: float, size: float, colour: RGB) -> None:
    """A tied bow round (x, y); size: units to each side."""
    for side in (-1, 1):
        wing = closed([(0.0, -0.1), (0.75, -0.5), (0.95, 0.1), (0.7, 0.5), (0.0, 0.1)], 5) * (side * size, size) + (
            x,
            y,
        )
        canvas.part(wing, colour, Tone(wing + (0.1 * size, 0.35 * size), shaded(colour)))
    canvas.part(ellipse(x, y, 0.2 * size, 0.22 * size, 14), colour)


def _sailor(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    _v_neck(canvas, skin, 1.86)
    for side in (-1, 1):
        flap = np.array([(0.24, 1.26), (0.62, 1.42), (0.74, 1.8), (0.03, 2.02), (0.03, 1.9), (0.24, 1.5)]) * (side, 1)
        canvas.part(flap, cloth)
        canvas.stroke(np.array([(0.64, 1.56), (0.64, 1.74), (0.08, 1.92)]) * (side, 1), _SHIRT, 0.9, (1, 1))
    canvas.part(np.array([(-0.1, 2.0), (0.1, 2.0), (0.2, 2.5), (0.02, 2.36), (-0.18, 2.52)]), trim)
    draw_bow(canvas, 0.0, 2.0, 0.34, trim)


def _blazer(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    _v_neck(canvas, _SHIRT, 2.3)
    canvas.part(np.array([(-0.09, 1.44), (0.09, 1.44), (0.13, 2.1), (0.0, 2.26), (-0.13, 2.1)]), trim)
    for side in (-1, 1):
        canvas.part(np.array([(0.05, 1.36), (0.28, 1.24), (0.32, 1.44), (0.14, 1.58)]) * (side, 1), _SHIRT)
        canvas.part(np.array([(0.28, 1.3), (0.5, 1.4), (0.46, 1.78), (0.0, 2.36)]) * (side, 1), cloth)
    for y in (2.5, 2.76):
        canvas.fill(ellipse(0.06, y, 0.05, 0.05, 10), _GOLD)


def _hoodie(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    hood = closed(
        [(-0.66, 1.52), (-0.5, 1.18), (0.0, 1.3), (0.5, 1.18), (0.66, 1.52), (0.3, 1.72), (0.0, 1.8), (-0.3, 1.72)]
    )
    canvas.part(hood, cloth, Tone(ellipse(0, 1.36, 0.36, 0.24), shaded(cloth)))
    canvas.part(closed([(-0.25, 1.25), (0.25, 1.25), (0.18, 1.48), (0.0, 1.56), (-0.18, 1.48)], 4), skin, outline=0.6)
    for side in (-1, 1):
        canvas.stroke(opened([(0.16 * side, 1.7), (0.19 * side, 1.95), (0.15 * side, 2.15)]), trim, 1.6, (1, 1))
    canvas.part(np.array([(-0.34, 2.4), (0.34, 2.4), (0.46, 2.82), (-0.46, 2.82)]), trim, outline=0.8)


def _kimono(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    _v_neck(canvas, skin, 1.9)
    canvas.part(ribbon(np.array([(0.3, 1.28), (0.0, 1.86), (-0.2, 2.3)]), (0.1, 0.1, 0.1)), _SHIRT)
    canvas.part(ribbon(np.array([(-0.3, 1.28), (0.02, 1.84), (0.4, 2.36)]), (0.11, 0.11, 0.11)), trim)
    obi = symmetric([(0.0, 2.24), (0.66, 2.2), (0.6, 2.72), (0.0, 2.76)])
    band = symmetric([(0.0, 2.44), (0.8, 2.4), (0.8, 2.52), (0.0, 2.56)])
    canvas.part(obi, trim, Tone(band, _GOLD, "detail"))


def _dress(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    canvas.part(closed([(-0.28, 1.26), (0.28, 1.26), (0.3, 1.44), (0.0, 1.6), (-0.3, 1.44)], 4), skin, outline=0.6)
    for side in (-1, 1):
        canvas.part(closed([(0.02, 1.6), (0.3, 1.32), (0.56, 1.5), (0.44, 1.76), (0.12, 1.82)], 5) * (side, 1), _SHIRT)
    draw_bow(canvas, 0.0, 1.74, 0.3, trim)
    canvas.part(symmetric([(0.0, 2.5), (0.57, 2.46), (0.56, 2.68), (0.0, 2.72)]), trim)


def _turtleneck(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    roll = closed([(-0.34, 1.12), (0.34, 1.12), (0.4, 1.42), (0.0, 1.52), (-0.4, 1.42)], 5)
    canvas.part(roll, cloth, Tone(roll + (0.3, 0.05), shaded(cloth)))
    for x in (-0.18, 0.0, 0.18):
        canvas.crease(np.array([(x, 1.16), (x * 1.1, 1.44)]), cloth, 0.6)


def _knit(cloth: RGB, trim: RGB) -> tuple[Tone, ...]:
    rows = (1.9, 2.3)
    bands = [symmetric([(0.0, y), (1.0, y), (1.0, y + 0.16), (0.0, y + 0.16)]) for y in rows]
    return tuple(Tone(band, mix(trim, cloth, 0.15), "detail") for band in bands)


def _tracksuit(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    _v_neck(canvas, _SHIRT, 1.66)
    for side in (-1, 1):
        canvas.part(np.array([(0.04, 1.62), (0.26, 1.14), (0.44, 1.26), (0.3, 1.6), (0.04, 1.8)]) * (side, 1), trim)
    canvas.stroke(np.array([(0.0, 1.7), (0.0, 2.3), (0.0, 2.95)]), _SHIRT, 1.4, (1, 1))


def _stripes(cloth: RGB, trim: RGB) -> tuple[Tone, ...]:
    chest = symmetric([(0.0, 2.02), (1.0, 1.86), (1.0, 2.06), (0.0, 2.22)])
    return (Tone(chest, trim, "detail"),)


def _cape(canvas: Canvas, skin: RGB, cloth: RGB, trim: RGB) -> None:
    mantle = closed(
        symmetric([(0.0, 1.3), (0.34, 1.24), (0.78, 1.46), (1.04, 1.94), (1.08, 2.4), (0.5, 2.46), (0.0, 2.36)])
    )
    hem = symmetric([(0.0, 2.2), (1.2, 2.16), (1.2, 2.3), (0.0, 2.3)])
    shade = np.array([(0.3, 1.2), (1.2, 1.4), (1.2, 2.6), (0.5, 2.6)])
    canvas.part(mantle, trim, Tone(shade, shaded(trim)), Tone(hem, _GOLD, "detail"))
    canvas.part(closed([(-0.42, 1.2), (0.42, 1.2), (0.4, 1.44), (0.0, 1.56), (-0.4, 1.44)], 4), cloth)
    canvas.part(ellipse(0.0, 1.6, 0.12, 0.12, 14), _GOLD)


OUTFIT_CUTS: dict[str, Cut] = {
    "sailor": Cut("skirt", "long", _sailor, torso=_shirt, cuff=_cloth),
    "blazer": Cut("skirt", "long", _blazer, skirt=_trim, cuff=_cloth),
    "hoodie": Cut("trousers", "long", _hoodie),
    "kimono": Cut("gown", "wide", _kimono),
    "dress": Cut("skirt", "short", _dress),
    "turtleneck": Cut("trousers", "long", _turtleneck, cuff=_cloth, pattern=_knit),
    "tracksuit": Cut("suit", "long", _tracksuit, pattern=_stripes),
    "cape": Cut("trousers", "long", _cape),
}
