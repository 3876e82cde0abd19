"""Plane curves as point arrays `[N, 2]`, y downwards. The unit is about half the width of a head."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np

Points = np.ndarray
Anchors = Sequence[tuple[float, float]] | Sequence[np.ndarray] | np.ndarray


@cache
def _catmull_rom_basis(steps: int) -> np.ndarray:
    """`[steps, 4]`: weights of four neighbouring anchors along the segment between the middle two."""
    t = np.linspace(0, 1, steps, endpoint=False)
    return 0.5 * np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2], axis=1)


def closed(anchors: Anchors, steps: int = 6) -> Points:
    """A smooth closed curve through the anchors (uniform Catmull-Rom), `steps` points a segment; not to be written."""
    return _closed(_hashable(anchors), steps)


def opened(anchors: Anchors, steps: int = 6) -> Points:
    """A smooth open curve from the first anchor to the last; not to be written."""
    return _opened(_hashable(anchors), steps)


# Most shapes of a figure are the same in every picture, so their curves are computed once.
def _hashable(anchors: Anchors) -> tuple[tuple[float, float], ...]:
    rows = anchors.tolist() if isinstance(anchors, np.ndarray) else anchors
    return tuple((x, y) for x, y in rows)


@lru_cache(maxsize=2048)
def _closed(anchors: tuple[tuple[float, float], ...], steps: int) -> Points:
    points = np.array(anchors, dtype=float)
    return _spline(np.concatenate([points[-1:], points, points[:2]]), steps)


@lru_cache(maxsize=2048)
def _opened(anchors: tuple[tuple[float, float], ...], steps: int) -> Points:
    points = np.array(anchors, dtype=float)
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    curve = np.concatenate([_spline(padded, steps), points[-1:]])
    curve.flags.writeable = False
    return curve


def _spline(padded: np.ndarray, steps: int) -> Points:
    """The curve from the second point to the last but one."""
    windows = np.stack([padded[shift : len(padded) - 3 + shift] for shift in range(4)], axis=1)
    curve = np.einsum("sk,nkd->nsd", _catmull_rom_basis(steps), windows).reshape(-1, 2)
    curve.flags.writeable = False
    return curve


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


@cache
def _circle(count: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 24) -> Points:
    """`count` points of an ellipse round (x, y)."""
    return _circle(count) * (rx, ry) + (x, y)


@lru_cache(maxsize=512)
def _profile(widths: tuple[float, ...], count: int) -> np.ndarray:
    """`[count, 1]`: half widths at `count` points, spread evenly."""
    return np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(widths)), widths)[:, None]


def ribbon(spine: Points, widths: Sequence[float]) -> Points:
    """The closed outline of a band round `spine`; `widths` are half widths, spread evenly along it."""
    spine = np.asarray(spine, dtype=float)
    way = np.empty_like(spine)
    way[1:-1] = spine[2:] - spine[:-2]
    way[0] = spine[1] - spine[0]
    way[-1] = spine[-1] - spine[-2]
    length = np.sqrt((way * way).sum(axis=1, keepdims=True))
    side = way[:, ::-1] * (1, -1) * _profile(tuple(widths), len(spine)) / np.maximum(length, 1e-9)
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
