"""Neck, torso, arms and legs, dressed by an outfit."""

from __future__ import annotations

import numpy as np

from animeid.data.synthetic.canvas import Canvas, Tone
from animeid.data.synthetic.colours import mix, shaded
from animeid.data.synthetic.curves import closed, ellipse, opened, ribbon, symmetric
from animeid.data.synthetic.head import shaded_skin
from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot
from animeid.data.synthetic.outfits import OUTFIT_CUTS, Cut
from animeid.data.synthetic.traits import CLOTH_COLOURS, RGB, SKINS

TORSO = symmetric(
    [(0.0, 1.34), (0.26, 1.3), (0.56, 1.42), (0.78, 1.62), (0.7, 2.1), (0.54, 2.6), (0.62, 2.95), (0.0, 3.0)]
)
_ARMS = {
    "down": ((0.72, 1.66), (0.9, 2.2), (0.94, 2.75), (0.88, 3.15)),
    "hips": ((0.72, 1.66), (1.14, 2.14), (1.06, 2.5), (0.64, 2.74)),
    "wave": ((0.72, 1.66), (1.24, 1.96), (1.5, 1.62), (1.56, 1.1)),
}


def draw_body(canvas: Canvas, traits: Traits, shot: Shot) -> None:
    """The body from the feet up to the neck; one arm may wave, the other hangs."""
    cut = OUTFIT_CUTS[shot.outfit]
    skin, cloth, trim = SKINS[traits.skin], CLOTH_COLOURS[shot.cloth], CLOTH_COLOURS[shot.trim]
    _draw_legs(canvas, cut, skin, cloth, trim)
    canvas.part(
        np.array([(-0.22, 0.8), (0.22, 0.8), (0.25, 1.5), (-0.25, 1.5)]),
        skin,
        Tone(ellipse(0, 0.98, 0.5, 0.3), shaded_skin(skin)),
    )
    _draw_arm(canvas, cut, -1, "hips" if shot.arms == "hips" else "down", skin, cloth, trim)
    _draw_arm(canvas, cut, 1, shot.arms, skin, cloth, trim)
    _draw_skirt(canvas, cut, cloth, trim)
    torso = cut.torso(cloth, trim)
    shade = np.array([(0.3, 1.3), (0.9, 1.3), (0.9, 3.1), (0.1, 3.1), (0.34, 2.4)])
    canvas.part(closed(TORSO), torso, Tone(shade, shaded(torso)), *cut.pattern(cloth, trim))
    cut.collar(canvas, skin, cloth, trim)


def _draw_legs(canvas: Canvas, cut: Cut, skin: RGB, cloth: RGB, trim: RGB) -> None:
    if cut.bottom == "gown":
        return
    trousers = mix(cloth, trim, 0.0) if cut.bottom == "suit" else mix(trim, (40, 40, 56), 0.45)
    for side in (-1, 1):
        leg = ribbon(opened([(0.3 * side, 2.9), (0.3 * side, 3.7), (0.27 * side, 4.55)]), (0.3, 0.25, 0.19))
        if cut.bottom == "skirt":
            sock = np.array([(-1, 3.95), (1, 3.95), (1, 5), (-1, 5)])
            canvas.part(leg, skin, Tone(sock, mix(trim, (250, 250, 250), 0.5), "detail"))
        else:
            canvas.part(leg, trousers, Tone(leg + (0.22, 0), shaded(trousers)))
        canvas.part(ellipse(0.32 * side, 4.62, 0.25, 0.14), (88, 62, 66))


def _draw_arm(canvas: Canvas, cut: Cut, side: int, pose: str, skin: RGB, cloth: RGB, trim: RGB) -> None:
    spine = opened(_ARMS[pose]) * (side, 1)
    arm = ribbon(spine, (0.2, 0.17, 0.14, 0.12))
    hand = spine[-1]
    canvas.part(ellipse(hand[0], hand[1], 0.16, 0.17), skin)
    if cut.sleeve == "short":
        canvas.part(arm, skin, Tone(arm + (0.14, 0.05), shaded_skin(skin)))
        spine = spine[: len(spine) // 2 - 1]
    colour = cut.torso(cloth, trim)
    sleeve = ribbon(spine, _SLEEVES[cut.sleeve])
    canvas.part(sleeve, colour, Tone(sleeve + (0.15, 0.04), shaded(colour)))
    if cut.sleeve == "long":
        canvas.part(ribbon(spine[-4:-1], (0.17, 0.17)), cut.cuff(cloth, trim))


_SLEEVES = {"long": (0.22, 0.2, 0.18, 0.17), "short": (0.2, 0.3, 0.3, 0.2), "wide": (0.22, 0.28, 0.42, 0.5)}


def _draw_skirt(canvas: Canvas, cut: Cut, cloth: RGB, trim: RGB) -> None:
    if cut.bottom not in ("skirt", "gown"):
        return
    colour = cut.skirt(cloth, trim)
    hem, reach = (4.5, 0.86) if cut.bottom == "gown" else (3.66, 1.02)
    outline = symmetric([(0.0, 2.6), (0.54, 2.62), (0.72, 3.0), (reach, hem), (0.0, hem + 0.08)])
    shade = np.array([(0.25, 2.6), (1.2, 2.6), (1.3, hem + 0.2), (0.4, hem + 0.2)])
    band = symmetric([(0.0, hem - 0.16), (1.2, hem - 0.22), (1.2, hem - 0.1), (0.0, hem - 0.05)])
    canvas.part(outline, colour, Tone(shade, shaded(colour)), Tone(band, trim if colour != trim else cloth, "detail"))
    for x in (-0.6, -0.3, 0.0, 0.3, 0.6):
        canvas.crease(np.array([(x * 0.7, 2.9), (x, (2.9 + hem) / 2), (x * 1.2, hem - 0.04)]), colour, 0.6)
