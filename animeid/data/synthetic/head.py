"""The face: outline, ears, cheeks, nose, mouth and marks."""

from __future__ import annotations

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import WHITE, line_of, lit, mix, scale, shaded
from animeid.data.synthetic.curves import Points, closed, ellipse, opened, ribbon, star, symmetric
from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot
from animeid.data.synthetic.traits import RGB, SKINS

_FACE = ((0.0, -1.0), (0.6, -0.86), (0.92, -0.3), (0.93, 0.16), (0.82, 0.54), (0.5, 0.86), (0.17, 1.02), (0.0, 1.05))
_EAR = ((0.86, 0.0), (1.03, -0.02), (1.08, 0.16), (1.0, 0.4), (0.86, 0.46))
_MOUTH = (0.0, 0.74)
_BLUSH: RGB = (250, 132, 140)
_LIP: RGB = (150, 58, 62)


def face_outline(shot: Shot) -> Points:
    """The face's outline; the chin follows the turn while the skull stays."""
    points = closed(symmetric(_FACE))
    lower = np.clip((points[:, 1:] + 0.3) / 1.35, 0, 1) ** 1.5
    return points + shot.shift(0.75) * lower


def draw_face(canvas: Canvas, traits: Traits, shot: Shot, hair_edge: Points) -> None:
    """Ears and face, with the shadow that the bangs (`hair_edge`, an area) throw."""
    skin = SKINS[traits.skin]
    _draw_ears(canvas, skin, shot)
    shadow = hair_edge + (0.02, 0.11)
    canvas.part(face_outline(shot), skin, Tone(shadow, shaded_skin(skin)))


def shaded_skin(skin: RGB) -> RGB:
    """Skin in shadow turns redder, not cooler."""
    return scale(skin, 0.94, 0.8, 0.79)


def _draw_ears(canvas: Canvas, skin: RGB, shot: Shot) -> None:
    for side in (-1, 1):
        ear = closed(_EAR) * (side, 1) + shot.shift(-0.4)
        inner = (ear - ear.mean(axis=0)) * 0.55 + ear.mean(axis=0)
        canvas.part(ear, skin, Tone(inner, shaded_skin(skin)))


def draw_features(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """Cheeks, nose, mouth and the character's mark."""
    skin = SKINS[traits.skin]
    at = shot.shift(1.0)
    if shot.blush:
        _draw_blush(canvas, skin, at)
    nose = opened([(0.015, 0.5), (0.045, 0.55), (0.0, 0.57)]) + at * 1.25
    canvas.stroke(nose, mix(line_of(skin), skin, 0.35), 0.8)
    _draw_mark(canvas, traits, at)
    _MOUTHS[shot.expression.mouth](canvas, at + _MOUTH, line_of(skin))


def _draw_blush(canvas: Canvas, skin: RGB, at: np.ndarray) -> None:
    for side in (-1, 1):
        canvas.fill(ellipse(0.6 * side, 0.6, 0.17, 0.085, 16) + at, mix(skin, _BLUSH, 0.38))
        for step in (-0.07, 0.0, 0.07):
            line = np.array([(0.6 * side + step + 0.02, 0.57), (0.6 * side + step - 0.02, 0.63)]) + at
            canvas.crease(line, mix(skin, _BLUSH, 0.8), 0.7)


def _line_mouth(canvas: Canvas, at: np.ndarray, line: RGB) -> None:
    canvas.stroke(opened([(-0.09, 0.0), (0.0, 0.012), (0.09, 0.0)]) + at, line, 1.0)


def _curve_mouth(canvas: Canvas, at: np.ndarray, line: RGB) -> None:
    canvas.stroke(opened([(-0.17, -0.035), (-0.08, 0.035), (0.08, 0.035), (0.17, -0.035)]) + at, line, 1.1)


def _open_mouth(canvas: Canvas, at: np.ndarray, line: RGB) -> None:
    outline = closed([(-0.19, -0.06), (0.0, -0.035), (0.19, -0.06), (0.13, 0.12), (0.0, 0.17), (-0.13, 0.12)], 5)
    tongue = ellipse(0.0, 0.17, 0.11, 0.1, 14)
    teeth = closed([(-0.2, -0.07), (0.2, -0.07), (0.14, -0.005), (-0.14, -0.005)], 3)
    canvas.part(outline + at, _LIP, Tone(tongue + at, (238, 128, 128), "detail"), Tone(teeth + at, WHITE, "detail"))


def _frown_mouth(canvas: Canvas, at: np.ndarray, line: RGB) -> None:
    canvas.stroke(opened([(-0.11, 0.04), (0.0, -0.02), (0.11, 0.04)]) + at, line, 1.1)


def _round_mouth(canvas: Canvas, at: np.ndarray, line: RGB) -> None:
    canvas.part(ellipse(at[0], at[1] + 0.03, 0.07, 0.095, 16), _LIP)


def _cat_mouth(canvas: Canvas, at: np.ndarray, line: RGB) -> None:
    half = [(0.0, -0.03), (0.05, 0.035), (0.12, 0.03), (0.17, -0.04)]
    for side in (-1, 1):
        canvas.stroke(opened(half) * (side, 1) + at, line, 1.1)


_MOUTHS = {
    "line": _line_mouth,
    "curve": _curve_mouth,
    "open": _open_mouth,
    "frown": _frown_mouth,
    "round": _round_mouth,
    "cat": _cat_mouth,
}


def _draw_mark(canvas: Canvas, traits: Traits, at: np.ndarray) -> None:
    skin = SKINS[traits.skin]
    if traits.mark == "mole":
        canvas.fill(ellipse(0.5, 0.68, 0.045, 0.045, 12) + at, (84, 48, 50))
    elif traits.mark == "freckles":
        for x, y in ((0.5, 0.58), (0.62, 0.63), (0.73, 0.57), (0.56, 0.69), (0.68, 0.71)):
            for side in (-1, 1):
                canvas.fill(ellipse(x * side, y, 0.027, 0.027, 8) + at, mix(skin, (150, 78, 50), 0.75))
    elif traits.mark == "scar":
        _draw_scar(canvas, skin, at)
    elif traits.mark == "plaster":
        _draw_plaster(canvas, at)
    elif traits.mark == "star":
        canvas.part(star(-0.6, 0.66, 0.15) + at, (255, 196, 62), outline=0.7)


def _draw_scar(canvas: Canvas, skin: RGB, at: np.ndarray) -> None:
    red = mix(skin, (176, 52, 56), 0.75)
    spine = opened([(-0.76, 0.44), (-0.6, 0.64), (-0.42, 0.8)])
    canvas.fill(ribbon(spine, (0.01, 0.038, 0.038, 0.01)) + at, red)
    for x, y in ((-0.66, 0.56), (-0.54, 0.7)):
        canvas.fill(ribbon(np.array([(x - 0.09, y + 0.07), (x + 0.09, y - 0.07)]), (0.02, 0.02)) + at, red)


def _draw_plaster(canvas: Canvas, at: np.ndarray) -> None:
    cream: RGB = (246, 222, 180)
    strip = np.array([(-0.2, 0.45), (0.18, 0.41), (0.2, 0.53), (-0.18, 0.57)]) + at
    pad = np.array([(-0.06, 0.43), (0.06, 0.42), (0.07, 0.55), (-0.05, 0.56)]) + at
    canvas.part(strip, cream, Tone(pad, mix(cream, shaded(cream), 0.6), "detail"), outline=0.7)
    canvas.crease(strip[:2] * (0.8, 1) + at * 0.2 + (0, 0.02), lit(cream), 0.4)
