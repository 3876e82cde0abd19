"""The hair in front: a cap over the skull whose lower edge is cut in one of the ways of `BANGS`."""

from __future__ import annotations

from functools import cache

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import lit, mix, shaded
from animeid.data.synthetic.curves import Points, arcs, opened
from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot
from animeid.data.synthetic.traits import HAIR_COLOURS

_CAP = (
    (-1.0, 0.42),
    (-1.1, 0.0),
    (-1.04, -0.55),
    (-0.7, -1.06),
    (0.0, -1.28),
    (0.7, -1.06),
    (1.04, -0.55),
    (1.1, 0.0),
    (1.0, 0.42),
)

# Corners of the lower edge, from the right temple to the left one; tips of locks and the notches between them.
_EDGES: dict[str, tuple[tuple[float, float], ...]] = {
    "blunt": (
        (1.0, 0.42), (0.98, 0.86), (0.74, 0.88), (0.72, -0.08), (0.44, -0.05), (0.41, -0.14), (0.36, -0.04),
        (0.02, -0.03), (-0.02, -0.13), (-0.06, -0.03), (-0.4, -0.05), (-0.44, -0.14), (-0.48, -0.05),
        (-0.72, -0.08), (-0.74, 0.88), (-0.98, 0.86), (-1.0, 0.42),
    ),
    "swept": (
        (1.0, 0.42), (0.84, 0.8), (0.8, 0.0), (0.5, -0.72), (0.42, -0.2), (0.12, 0.02), (0.1, -0.3), (-0.14, 0.04),
        (-0.42, 0.1), (-0.36, -0.16), (-0.72, 0.26), (-0.76, -0.02), (-0.86, 0.78), (-1.0, 0.42),
    ),
    "parted": (
        (1.0, 0.42), (0.86, 0.92), (0.84, 0.2), (0.7, 0.3), (0.6, -0.16), (0.0, -0.9), (-0.6, -0.16),
        (-0.7, 0.3), (-0.84, 0.2), (-0.86, 0.92), (-1.0, 0.42),
    ),
    "jagged": (
        (1.0, 0.42), (0.86, 0.66), (0.84, 0.02), (0.62, 0.2), (0.54, -0.34), (0.3, 0.1), (0.24, -0.36),
        (-0.02, 0.32), (-0.14, -0.34), (-0.34, 0.08), (-0.46, -0.34), (-0.64, 0.2), (-0.82, 0.02), (-0.86, 0.66),
        (-1.0, 0.42),
    ),
    "over_eye": (
        (1.0, 0.42), (0.86, 0.84), (0.82, 0.06), (0.62, -0.42), (0.48, -0.82), (0.3, -0.16), (0.06, 0.12),
        (0.0, -0.08), (-0.2, 0.66), (-0.34, 0.5), (-0.52, 0.92), (-0.74, 0.6), (-0.9, 0.9), (-1.0, 0.42),
    ),
}  # fmt: skip
_BULGE = {"blunt": 0.03, "swept": 0.16, "parted": -0.16, "jagged": 0.07, "over_eye": 0.1}


def front_hair(traits: Traits, shot: Shot) -> Points:
    """The outline of the cap with its bangs; the fringe moves with the face, the crown hardly."""
    return _moved(_outline(traits.bangs), shot)


@cache
def _outline(bangs: str) -> Points:
    edge = arcs(_EDGES[bangs], _bulges(bangs))
    return np.concatenate([opened(_CAP), edge[1:-1]])


def _bulges(bangs: str) -> np.ndarray:
    """Locks hang outwards on both sides: the sign turns where the edge crosses the parting."""
    anchors = np.asarray(_EDGES[bangs])
    middle = (anchors[:-1, 0] + anchors[1:, 0]) / 2
    return np.where(middle > 0, -1.0, 1.0) * _BULGE[bangs]


def _moved(points: Points, shot: Shot) -> Points:
    fringe = np.clip((points[:, 1:] + 1.28) / 1.3, 0, 1)
    inside = np.clip(1.2 - np.abs(points[:, :1]), 0.15, 0.8)
    return points + shot.shift(1.0) * fringe * inside


def draw_front_hair(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """The cap with shadowed tips, a ring of light round the crown, and strands."""
    colour = HAIR_COLOURS[traits.hair_colour]
    tones = (
        Tone(_moved(_zigzag(-0.16, 0.12, 1.4, 9), shot), mix(colour, shaded(colour), 0.55)),
        Tone(_moved(_side(), shot) * (-1, 1), shaded(colour)),
        Tone(_moved(_ring(), shot), lit(colour, 0.42), "shine"),
    )
    canvas.part(front_hair(traits, shot), colour, *tones)
    for strand in _strands(traits.bangs):
        canvas.crease(_moved(strand, shot), colour, 0.7, (0.05, 0.9))


@cache
def _strands(bangs: str) -> list[Points]:
    """Lines that run from the crown into the notches between the locks; only their lower half is drawn."""
    crown = np.array([0.05, -1.22])
    anchors = np.asarray(_EDGES[bangs])
    notches = anchors[3:-3][anchors[3:-3, 1] < np.minimum(anchors[2:-4, 1], anchors[4:-2, 1])]
    strands = [opened(np.stack([crown, (crown + notch) / 2 + (0.22 * notch[0], -0.08), notch])) for notch in notches]
    return [strand[len(strand) // 2 :] for strand in strands]


@cache
def _zigzag(top: float, depth: float, bottom: float, teeth: int) -> Points:
    """Everything below a toothed line."""
    x = np.linspace(-1.3, 1.3, 2 * teeth + 1)
    line = np.stack([x, top + depth * (np.arange(len(x)) % 2) - 0.25 * (1 - x**2)], axis=1)
    return np.concatenate([line, [(1.3, bottom), (-1.3, bottom)]])


@cache
def _side() -> Points:
    return opened([(1.2, -1.0), (0.86, -0.66), (0.92, -0.1), (0.84, 0.9), (1.3, 0.9)])


@cache
def _ring() -> Points:
    """The ring of light: a band that follows the skull, toothed below."""
    x = np.linspace(-0.8, 0.8, 15)
    upper = np.stack([x, -0.86 + 0.34 * x**2], axis=1)
    thickness = np.where(np.arange(15) % 2 == 0, 0.07, 0.19) * np.clip(1.15 - np.abs(x), 0, 1)
    return np.concatenate([upper, (upper + np.stack([np.zeros(15), thickness], axis=1))[::-1]])
