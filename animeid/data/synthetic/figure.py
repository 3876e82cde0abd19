"""One picture of one character: layers from back to front, then light, then the style's finish."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from animeid.data.synthetic.accessories import draw_accessory, draw_eyewear
from animeid.data.synthetic.backgrounds import draw_background
from animeid.data.synthetic.bangs import draw_front_hair, front_hair
from animeid.data.synthetic.body import draw_body
from animeid.data.synthetic.canvas import Canvas, Frame
from animeid.data.synthetic.eyes import draw_brows, draw_eyes
from animeid.data.synthetic.foregrounds import draw_foreground
from animeid.data.synthetic.hair import draw_back_hair, draw_hanging_hair
from animeid.data.synthetic.head import draw_face, draw_features
from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.ink import INKS
from animeid.data.synthetic.nuisance import Shot

_SUPERSAMPLING = 3
_NECK = (0.0, 1.1)
_LINE = 0.0105  # of the picture's side, at the scale of a bust
_PIXEL_COLOURS = 40


class Drawing(NamedTuple):
    """image: RGB. bbox: left, top, right, bottom of the visible figure, in pixels, right and bottom outside it."""

    image: Image.Image
    bbox: tuple[int, int, int, int]


def draw_figure(traits: Traits, shot: Shot, size: int) -> Drawing:
    """Draws a picture of `size` pixels."""
    ink = INKS[shot.style]
    rng = np.random.default_rng(shot.seed)
    side = size * _SUPERSAMPLING
    frame = _figure_frame(shot, side)
    line = side * _LINE * shot.line * (0.5 + 2.2 / shot.crop.across)
    canvas = Canvas(draw_background(shot.background, side, ink, rng), frame, ink, line, rng)
    _draw_layers(canvas, traits, shot)
    bbox = _visible(canvas.extent / _SUPERSAMPLING, size)
    canvas.frame = Frame.of(side / 2, (side / 2, side / 2), flip=False)
    draw_foreground(canvas, shot.foreground, rng)
    return Drawing(_finished(canvas.image, shot, size), bbox)


def _figure_frame(shot: Shot, side: int) -> Frame:
    unit = side / shot.crop.across * shot.zoom
    x = side / 2 + shot.offset[0] * unit
    y = side / 2 + (shot.offset[1] - shot.crop.centre) * unit
    return Frame.of(unit, (x, y), shot.flip)


def _draw_layers(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    body = canvas.frame.turned(shot.lean, 0.0, 3.0)
    head = body.turned(shot.tilt, *_NECK)
    canvas.frame = head
    draw_back_hair(canvas, traits, shot)
    canvas.frame = body
    draw_body(canvas, traits, shot)
    canvas.frame = head
    draw_face(canvas, traits, shot, front_hair(traits, shot))
    draw_features(canvas, traits, shot)
    draw_eyes(canvas, traits, shot)
    draw_front_hair(canvas, traits, shot)
    draw_brows(canvas, traits, shot)
    draw_hanging_hair(canvas, traits, shot)
    draw_eyewear(canvas, traits, shot)
    draw_accessory(canvas, traits, shot)


def _visible(extent: np.ndarray, size: int) -> tuple[int, int, int, int]:
    left, top = np.floor(extent[:2]).clip(0, size - 1).astype(int).tolist()
    right, bottom = np.ceil(extent[2:]).clip(1, size).astype(int).tolist()
    return left, top, right, bottom


def _finished(sheet: Image.Image, shot: Shot, size: int) -> Image.Image:
    """Scales the sheet down and lays the light on it; pixel art also gets coarse blocks of few colours."""
    cell = INKS[shot.style].cell
    if cell == 1:
        return _tinted(sheet.reduce(_SUPERSAMPLING), shot.tint)
    cell = cell if shot.crop.name == "face" else cell - 1
    blocks = -(-size // cell)
    small = _tinted(sheet.resize((blocks, blocks), Image.Resampling.BOX), shot.tint)
    few = small.quantize(_PIXEL_COLOURS, dither=Image.Dither.NONE).convert("RGB")
    return few.resize((blocks * cell, blocks * cell), Image.Resampling.NEAREST).crop((0, 0, size, size))


def _tinted(image: Image.Image, gains: tuple[float, float, float]) -> Image.Image:
    table = np.arange(256)[None] * np.array(gains)[:, None]
    return image.point(table.round().clip(0, 255).astype(int).ravel().tolist())
