"""The hair behind the head and beside it, one function a hair style."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import lit, mix, shaded
from animeid.data.synthetic.curves import Points, arcs, closed, ellipse, opened, ribbon, symmetric
from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot
from animeid.data.synthetic.traits import HAIR_COLOURS, RGB

_TIE: RGB = (226, 84, 104)

Painter = Callable[[Canvas, RGB, np.ndarray], None]


def draw_back_hair(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """What lies behind body and head."""
    colour = HAIR_COLOURS[traits.hair_colour]
    _BEHIND[traits.hair_style](canvas, colour, shot.shift(-0.5))


def draw_hanging_hair(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """What hangs before the shoulders."""
    painter = _BEFORE.get(traits.hair_style)
    if painter is not None:
        painter(canvas, HAIR_COLOURS[traits.hair_colour], shot.shift(-0.1))


def _mass(canvas: Canvas, colour: RGB, outline: Points) -> None:
    """A mass of hair behind the head: in its own shadow near the neck."""
    inner = closed([(-0.7, 0.2), (0.7, 0.2), (0.62, 1.3), (0.3, 2.2), (-0.3, 2.2), (-0.62, 1.3)])
    canvas.part(
        outline, colour, Tone(inner, shaded(colour)), Tone(outline * (0.82, 0.93), mix(colour, shaded(colour), 0.7))
    )


def _short(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    edge = arcs([(1.06, 0.3), (0.94, 0.78), (0.74, 0.72), (0.6, 0.98), (0.0, 0.9)], -0.1)
    _mass(canvas, colour, np.concatenate([_crown(1.08), symmetric(edge)]) + at)


def _crown(reach: float) -> Points:
    return opened(
        [(-reach, 0.3), (-reach, -0.4), (-0.6, -1.12), (0.0, -1.25), (0.6, -1.12), (reach, -0.4), (reach, 0.3)]
    )


def _spiky(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    upper = [(0.0, -1.3), (0.16, -1.66), (0.42, -1.26), (0.8, -1.5), (0.86, -1.04), (1.3, -1.04), (1.1, -0.62)]
    lower = [(1.18, -0.1), (1.46, 0.26), (1.08, 0.36), (1.2, 0.8), (0.7, 0.82), (0.5, 1.06), (0.0, 0.9)]
    half = [*upper, (1.5, -0.4), *lower]
    _mass(canvas, colour, arcs(np.concatenate([symmetric(half), [half[0]]]), 0.08) + at)


def _bob(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    half = [(0.0, -1.26), (0.72, -1.08), (1.1, -0.5), (1.22, 0.2), (1.26, 0.86), (1.1, 1.16), (0.72, 1.2), (0.0, 1.1)]
    _mass(canvas, colour, closed(symmetric(half)) + at)


def _long(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    half = [(0.0, -1.26), (0.72, -1.08), (1.1, -0.5), (1.2, 0.5), (1.26, 1.6), (1.34, 2.7)]
    tips = arcs([(1.34, 2.7), (1.06, 3.0), (0.96, 2.74), (0.66, 3.08), (0.5, 2.8), (0.0, 3.1)], -0.12)
    outline = symmetric(np.concatenate([opened(half), tips[1:]]))
    _mass(canvas, colour, outline + at)
    for side in (-1, 1):
        canvas.crease(opened([(1.02, 0.9), (1.08, 1.8), (1.0, 2.7)]) * (side, 1) + at, colour)


def _wavy(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    half = [(0.0, -1.27), (0.74, -1.1), (1.12, -0.5), (1.2, 0.0)]
    waves = arcs(
        [(1.2, 0.0), (1.3, 0.62), (1.36, 1.22), (1.46, 1.82), (1.3, 2.36), (0.9, 2.62), (0.46, 2.5), (0.0, 2.7)], -0.42
    )
    _mass(canvas, colour, symmetric(np.concatenate([opened(half), waves[1:]])) + at)
    for side in (-1, 1):
        canvas.crease(arcs([(1.0, 0.6), (1.12, 1.3), (1.06, 2.0)], -0.3) * (side, 1) + at, colour)


def _tail(canvas: Canvas, colour: RGB, spine: Points, widths: tuple[float, ...]) -> None:
    """A tied tail of hair along a spine, lit along one side, with two strands."""
    outline = ribbon(spine, widths)
    widest = max(widths)
    shade = ribbon(spine + (0.55 * widest, 0.1), widths)
    shine = ribbon(spine[2:-6] - (0.4 * widest, 0), tuple(0.16 * width for width in widths))
    canvas.part(outline, colour, Tone(shade, shaded(colour)), Tone(shine, lit(colour, 0.4), "shine"))
    canvas.crease(spine[3:] + (0.08, 0), colour)
    canvas.crease(spine[5:-3] - (0.14, 0), colour, 0.6)


def _twin_tails(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    _short(canvas, colour, at)
    for side in (-1, 1):
        spine = opened([(0.9, -0.86), (1.34, -0.7), (1.5, 0.2), (1.46, 1.3), (1.62, 2.5)])
        _tail(canvas, colour, spine * (side, 1) + at, (0.12, 0.34, 0.4, 0.36, 0.26, 0.01))


def _ponytail(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    spine = opened([(0.2, -1.1), (0.9, -1.36), (1.42, -0.9), (1.42, 0.1), (1.24, 1.1), (1.42, 2.0)])
    _tail(canvas, colour, spine + at, (0.14, 0.3, 0.4, 0.4, 0.3, 0.01))
    _short(canvas, colour, at)
    canvas.part(ellipse(0.48, -1.27, 0.15, 0.19) + at, _TIE)


def _buns(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    for side in (-1, 1):
        x, y = 0.86 * side, -1.12
        shade = ellipse(x + 0.14, y + 0.16, 0.42, 0.4)
        shine = ellipse(x - 0.14, y - 0.16, 0.14, 0.09)
        canvas.part(
            ellipse(x, y, 0.44, 0.42) + at,
            colour,
            Tone(shade + at, shaded(colour)),
            Tone(shine + at, lit(colour), "shine"),
        )
        canvas.crease(opened([(x - 0.28, y + 0.1), (x, y - 0.2), (x + 0.26, y + 0.06)]) + at, colour)
    _short(canvas, colour, at)


def _braids(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    for side in (-1, 1):
        for link in range(6):
            y = 0.95 + 0.27 * link
            size = 0.25 - 0.016 * link
            lean = 0.06 * (-1) ** link
            lobe = closed([(-size, -0.1), (0.0, -0.22), (size, -0.08), (0.12, 0.2), (-0.12, 0.18)], 4)
            shade = Tone((lobe + (0.12, 0.1) + (side + lean, y)) + at, shaded(colour))
            canvas.part(lobe + (side * 0.98 + lean, y) + at, colour, shade)
        tuft = arcs([(-0.12, 2.5), (-0.16, 2.92), (0.0, 2.78), (0.12, 2.96), (0.12, 2.5)], 0.08)
        canvas.part(tuft + (side * 0.98, 0) + at, colour)
        canvas.part(ellipse(side * 0.98, 2.5, 0.16, 0.09) + at, _TIE)


def _drills(canvas: Canvas, colour: RGB, at: np.ndarray) -> None:
    """Ringlets: rings that narrow downwards, each with a light."""
    for side in (-1, 1):
        for ring in range(6, -1, -1):
            y = 0.25 + 0.33 * ring
            reach = 0.38 * (1 - 0.11 * ring)
            x = side * (1.16 + 0.03 * ring)
            turn = closed(
                [(-reach, 0.02), (0.0, -0.24), (reach, -0.1), (reach * 0.92, 0.16), (0.0, 0.24), (-reach * 0.9, 0.2)], 4
            )
            shade = Tone(turn + (x + 0.1, y + 0.17) + at, shaded(colour))
            shine = Tone(ellipse(x - 0.35 * reach, y - 0.03, 0.3 * reach, 0.06, 12) + at, lit(colour, 0.5), "shine")
            canvas.part(turn + (x, y) + at, colour, shade, shine)


_BEHIND: dict[str, Painter] = {
    "short": _short,
    "spiky": _spiky,
    "bob": _bob,
    "long": _long,
    "wavy": _wavy,
    "twin_tails": _twin_tails,
    "ponytail": _ponytail,
    "braids": _short,
    "buns": _buns,
    "drills": _short,
}
_BEFORE: dict[str, Painter] = {"braids": _braids, "drills": _drills}
