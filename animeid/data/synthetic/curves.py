"""Plane curves as point arrays `[N, 2]`, y downwards. The unit is about half the width of a head."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

Points = np.ndarray
Anchors = Sequence[tuple[float, float]] | Sequence[np.ndarray] | np.ndarray


@cache
def _catmull_rom_basis(steps: int) -> np.ndarray:
    """`[steps, 4]`: weights of four neighbouring anchors along the segment between the middle two."""
    t = np.linspace(0, 1, steps, endpoint=False)
    return 0.5 * np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2], axis=1)


def closed(anchors: Anchors, steps: int = 6) -> Points:
    """A smooth closed curve through the anchors (uniform Catmull-Rom), `steps` points a segment."""
    points = np.asarray(anchors, dtype=float)
    windows = np.stack([np.roll(points, 1 - shift, axis=0) for shift in range(4)], axis=1)
    return np.einsum("sk,nkd->nsd", _catmull_rom_basis(steps), windows).reshape(-1, 2)


def opened(anchors: Anchors, steps: int = 6) -> Points:
    """A smooth open curve from the first anchor to the last."""
    points = np.asarray(anchors, dtype=float)
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    windows = np.stack([padded[shift : shift + len(points) - 1] for shift in range(4)], axis=1)
    curve = np.einsum("sk,nkd->nsd", _catmull_rom_basis(steps), windows).reshape(-1, 2)
    return np.concatenate([curve, points[-1:]])


def arcs(anchors: Anchors, bulge: float | Sequence[float] | np.ndarray, steps: int = 5) -> Points:
    """Quadratic arcs from anchor to anchor, with a corner at each.

    bulge: how far an arc's control point stands off the chord's middle, to the left of the way, as a share of the
        chord; one number or one an arc.
    """
    points = np.asarray(anchors, dtype=float)
    start, end = points[:-1], points[1:]
    chord = end - start
    normal = np.stack([chord[:, 1], -chord[:, 0]], axis=1)
    offsets = np.broadcast_to(np.asarray(bulge, dtype=float), (len(chord),))[:, None]
    control = (start + end) / 2 + normal * offsets
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = (1 - t) ** 2 * start[:, None] + 2 * t * (1 - t) * control[:, None] + t**2 * end[:, None]
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 24) -> Points:
    """`count` points of an ellipse round (x, y)."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def ribbon(spine: Points, widths: np.ndarray | Sequence[float]) -> Points:
    """The closed outline of a band round `spine`; `widths` are half widths, spread evenly along it."""
    spine = np.asarray(spine, dtype=float)
    along = np.linspace(0, 1, len(spine))
    half = np.interp(along, np.linspace(0, 1, len(widths)), np.asarray(widths, dtype=float))[:, None]
    way = np.gradient(spine, axis=0)
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    side = np.stack([way[:, 1], -way[:, 0]], axis=1) * half
    return np.concatenate([spine + side, (spine - side)[::-1]])


def mirrored(points: Anchors) -> Points:
    """The mirror image in the y axis, in the opposite order, so that a half outline can be closed with it."""
    return np.asarray(points, dtype=float)[::-1] * (-1, 1)


def symmetric(half: Anchors) -> Points:
    """A whole outline from its right half, top to bottom; ends on the axis are not doubled."""
    right = np.asarray(half, dtype=float)
    left = mirrored(right)
    first = 1 if abs(right[-1, 0]) < 1e-9 else 0
    last = -1 if abs(right[0, 0]) < 1e-9 else None
    return np.concatenate([right, left[first:last]])


def star(x: float, y: float, radius: float, tips: int = 5, inner: float = 0.45) -> Points:
    """A star with its first tip upwards."""
    angle = np.arange(2 * tips) * np.pi / tips - np.pi / 2
    reach = np.where(np.arange(2 * tips) % 2 == 0, radius, radius * inner)
    return np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)
