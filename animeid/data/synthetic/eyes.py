"""Eyes and brows: four shapes, every openness, and the lights in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import INK, WHITE, lit, mix, scale
from animeid.data.synthetic.curves import Points, ellipse, opened, ribbon
from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot
from animeid.data.synthetic.traits import EYE_COLOURS, HAIR_COLOURS, RGB

_CENTRE = (0.44, 0.3)
_BOTTOM = 0.29


class _EyeShape(NamedTuple):
    """upper, lower: lids from the inner to the outer corner, for the eye at positive x. wing: where the lash ends."""

    upper: tuple[tuple[float, float], ...]
    lower: tuple[tuple[float, float], ...]
    wing: tuple[float, float]
    iris: tuple[float, float]


_SHAPES = {
    "round": _EyeShape(
        ((-0.25, 0.04), (-0.19, -0.2), (0.0, -0.33), (0.19, -0.22), (0.27, 0.02)),
        ((-0.25, 0.04), (-0.17, 0.24), (0.0, 0.31), (0.18, 0.24), (0.27, 0.02)),
        (0.34, -0.02),
        (0.195, 0.285),
    ),
    "sharp": _EyeShape(
        ((-0.27, 0.14), (-0.18, -0.06), (0.0, -0.2), (0.18, -0.24), (0.31, -0.17)),
        ((-0.27, 0.14), (-0.14, 0.24), (0.02, 0.25), (0.19, 0.14), (0.31, -0.17)),
        (0.42, -0.29),
        (0.165, 0.24),
    ),
    "droopy": _EyeShape(
        ((-0.25, -0.06), (-0.17, -0.24), (0.0, -0.28), (0.18, -0.13), (0.3, 0.14)),
        ((-0.25, -0.06), (-0.19, 0.17), (-0.03, 0.29), (0.17, 0.29), (0.3, 0.14)),
        (0.39, 0.22),
        (0.185, 0.26),
    ),
    "sleepy": _EyeShape(
        ((-0.28, -0.02), (-0.2, -0.06), (0.0, -0.075), (0.2, -0.06), (0.29, 0.0)),
        ((-0.28, -0.02), (-0.18, 0.2), (0.0, 0.27), (0.18, 0.21), (0.29, 0.0)),
        (0.36, 0.03),
        (0.185, 0.25),
    ),
}


def draw_eyes(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """Both eyes; the one that the head turns away from us is narrower."""
    lash = mix(scale(HAIR_COLOURS[traits.hair_colour], 0.25, 0.22, 0.28), INK, 0.6)
    for side in (-1, 1):
        narrow = 1 - 0.2 * max(0.0, side * shot.turn)
        place = _Place(shot.shift(1.0) + (_CENTRE[0] * side, _CENTRE[1]), (side * narrow, 1.0))
        if shot.expression.openness == 0:
            arc = opened([(-0.25, 0.1), (-0.12, -0.04), (0.03, -0.07), (0.18, 0.0), (0.28, 0.13)])
            canvas.fill(ribbon(place(arc), (0.015, 0.045, 0.045, 0.015)), lash)
        else:
            _draw_open_eye(canvas, _SHAPES[traits.eye_shape], EYE_COLOURS[traits.eye_colour], lash, place, shot)


class _Place(NamedTuple):
    """Where an eye's own coordinates (outer corner at positive x) lie on the figure."""

    at: np.ndarray
    scale: tuple[float, float]

    def __call__(self, points: Points) -> Points:
        return points * self.scale + self.at


def _draw_open_eye(canvas: Canvas, shape: _EyeShape, colour: RGB, lash: RGB, place: _Place, shot: Shot) -> None:
    openness = shot.expression.openness
    upper = opened(_opened_by(shape.upper, openness), 5)
    lower = opened(shape.lower, 5)
    white = np.concatenate([upper, lower[::-1]])
    tones = (
        Tone(place(upper + (0, 0.1)), (206, 204, 226), "shade"),
        *_iris_tones(colour, shape.iris, place, shot),
    )
    canvas.part(place(white), (253, 252, 255), *tones, outline=0.0)
    lid = np.concatenate([upper, _opened_by((shape.wing,), openness)])
    canvas.fill(ribbon(place(lid), (0.012, 0.04, 0.05, 0.055, 0.045, 0.008)), lash)
    canvas.stroke(place(lower[len(lower) // 3 :]), mix(lash, colour, 0.25), 0.8, (0.1, 0.9))
    crease = upper[len(upper) // 4 : -len(upper) // 6] + (0.02, -0.11)
    canvas.crease(place(crease), mix(lash, (230, 170, 150), 0.4), 0.6)


def _opened_by(lid: tuple[tuple[float, float], ...], openness: float) -> np.ndarray:
    points = np.asarray(lid, dtype=float)
    points[:, 1] = _BOTTOM - (_BOTTOM - points[:, 1]) * openness
    return points


def _iris_tones(colour: RGB, iris: tuple[float, float], place: _Place, shot: Shot) -> tuple[Tone, ...]:
    """Dark rim, deep top, bright bottom, pupil, and the lights, which lie on the same side in both eyes."""
    rx, ry = iris
    x, y = 0.05 * shot.turn * place.scale[0], 0.03
    at = place(np.array([[x, y]]))[0]
    deep = scale(colour, 0.5, 0.45, 0.6)
    return (
        Tone(place(ellipse(x, y, rx + 0.022, ry + 0.022)), scale(colour, 0.3, 0.25, 0.4), "detail"),
        Tone(place(ellipse(x, y, rx, ry)), mix(colour, deep, 0.55), "detail"),
        Tone(place(ellipse(x, y + 0.36 * ry, rx * 0.92, ry * 0.62)), colour, "detail"),
        Tone(place(ellipse(x, y + 0.62 * ry, rx * 0.66, ry * 0.33)), lit(colour, 0.45), "detail"),
        Tone(place(ellipse(x, y, rx * 0.42, ry * 0.48, 16)), scale(colour, 0.2, 0.16, 0.26), "detail"),
        Tone(ellipse(at[0] - 0.4 * rx, at[1] - 0.42 * ry, 0.42 * rx, 0.34 * ry, 16), WHITE, "detail"),
        Tone(ellipse(at[0] + 0.46 * rx, at[1] + 0.42 * ry, 0.2 * rx, 0.17 * ry, 12), WHITE, "detail"),
    )


def draw_brows(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """Brows lie over the bangs, as they do in anime, so that the expression shows."""
    colour = scale(HAIR_COLOURS[traits.hair_colour], 0.55, 0.5, 0.58)
    expression = shot.expression
    for side in (-1, 1):
        place = _Place(shot.shift(0.95) + (_CENTRE[0] * side, -0.2 - expression.lift), (side, 1.0))
        tip = 0.09 * expression.brow
        line = opened([(-0.2, 0.03 + tip), (0.02, -0.04 - 0.2 * tip), (0.24, 0.02 - tip)])
        canvas.fill(ribbon(place(line), (0.028, 0.03, 0.022, 0.006)), colour)
