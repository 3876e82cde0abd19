"""Nuisance factors: what varies within a character."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np

from animeid.data.synthetic.identity import Character
from animeid.data.synthetic.settings import CastSettings, Style
from animeid.data.synthetic.traits import CLOTH_COLOURS, OUTFITS

STYLES: tuple[Style, ...] = get_args(Style)


class Expression(NamedTuple):
    """openness: of the eyes, 0 closed to 1. brow: outer end up (angry, > 0) or down. lift: how far brows are raised."""

    name: str
    mouth: str
    openness: float
    brow: float
    lift: float
    smile: bool


EXPRESSIONS = (
    Expression("calm", "line", 1.0, 0.0, 0.0, False),
    Expression("smiling", "curve", 1.0, 0.0, 0.04, True),
    Expression("laughing", "open", 0.92, -0.2, 0.08, True),
    Expression("beaming", "open", 0.0, -0.1, 0.08, True),
    Expression("angry", "frown", 0.86, 0.9, -0.05, False),
    Expression("sad", "frown", 0.88, -0.8, 0.02, False),
    Expression("surprised", "round", 1.08, -0.2, 0.14, False),
    Expression("smug", "cat", 0.8, 0.35, 0.05, True),
)
_EXPRESSION_SHARES = (0.2, 0.2, 0.16, 0.06, 0.1, 0.1, 0.09, 0.09)


class Crop(NamedTuple):
    """across: units of the figure that the picture's side spans. centre: the height that stands in its middle."""

    name: str
    across: float
    centre: float


CROPS = (Crop("face", 3.1, 0.0), Crop("bust", 4.3, 0.78), Crop("full", 6.7, 1.68))
_CROP_SHARES = (0.42, 0.4, 0.18)

BACKGROUNDS = ("plain", "sky", "sunset", "night", "city", "petals", "stripes", "dots", "rays", "room")
FOREGROUNDS = ("none", "petals", "bubble", "book", "leaves", "sparkles")
_FOREGROUND_SHARES = (0.6, 0.08, 0.08, 0.08, 0.08, 0.08)
ARMS = ("down", "hips", "wave")

# Multiplied onto the finished picture, per channel: daylight, dusk, night, shop lights, forest, candle, fog.
_TINTS = (
    (1.0, 1.0, 1.0),
    (1.05, 0.86, 0.76),
    (0.68, 0.76, 1.02),
    (1.0, 0.76, 1.0),
    (0.82, 1.0, 0.8),
    (1.04, 0.9, 0.62),
    (0.86, 0.94, 1.0),
)


@dataclass(frozen=True)
class Shot:
    """One picture of one character, apart from who it is.

    turn, nod: of the head, -1 to 1. tilt, lean: of head and body, in radians. zoom: times the crop's scale.
    offset: of the figure, in units. tint: gain of each channel. line: times the usual width. seed: of what is
    scattered about (background, petals, pencil).
    """

    style: Style
    crop: Crop
    turn: float
    nod: float
    tilt: float
    lean: float
    zoom: float
    offset: tuple[float, float]
    flip: bool
    expression: Expression
    blush: bool
    arms: str
    background: str
    foreground: str
    tint: tuple[float, float, float]
    line: float
    outfit: str
    cloth: str
    trim: str
    seed: int

    def shift(self, depth: float) -> np.ndarray:
        """`[2]`, how far a layer moves as the head turns and nods. depth: 1 for the face, below 0 behind the head."""
        return np.array([0.2 * self.turn * depth, 0.09 * self.nod * depth])


def make_shot(
    character: Character, settings: CastSettings, styles: tuple[Style, ...], rng: np.random.Generator
) -> Shot:
    """Draws everything about a picture; the outfit is usually the character's own."""
    changed = rng.random() < settings.other_outfits
    outfit, cloth, trim = _other_outfit(character, rng) if changed else _own_outfit(character)
    return Shot(
        style=styles[rng.integers(len(styles))],
        crop=CROPS[rng.choice(len(CROPS), p=_CROP_SHARES)],
        turn=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        nod=float(np.clip(rng.normal(0, 0.4), -1, 1)),
        tilt=float(rng.normal(0, 0.1)),
        lean=float(rng.normal(0, 0.04)),
        zoom=float(rng.uniform(0.88, 1.12)),
        offset=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.08))),
        flip=bool(rng.random() < 0.5),
        expression=EXPRESSIONS[rng.choice(len(EXPRESSIONS), p=_EXPRESSION_SHARES)],
        blush=bool(rng.random() < 0.45),
        arms=ARMS[rng.integers(len(ARMS))],
        background=BACKGROUNDS[rng.integers(len(BACKGROUNDS))],
        foreground=FOREGROUNDS[rng.choice(len(FOREGROUNDS), p=_FOREGROUND_SHARES)],
        tint=_tint(rng),
        line=float(rng.uniform(0.75, 1.35)),
        outfit=outfit,
        cloth=cloth,
        trim=trim,
        seed=int(rng.integers(2**31)),
    )


def _tint(rng: np.random.Generator) -> tuple[float, float, float]:
    gains = np.array(_TINTS[rng.integers(len(_TINTS))])
    gains = 1 + (gains - 1) * rng.uniform(0.4, 1.1)
    red, green, blue = (gains * rng.uniform(0.85, 1.08) * rng.uniform(0.94, 1.06, size=3)).tolist()
    return red, green, blue


def _own_outfit(character: Character) -> tuple[str, str, str]:
    return character.traits.outfit, character.traits.cloth, character.traits.trim


def _other_outfit(character: Character, rng: np.random.Generator) -> tuple[str, str, str]:
    others = [outfit for outfit in OUTFITS if outfit != character.traits.outfit]
    cloth, trim = rng.choice(list(CLOTH_COLOURS), size=2, replace=False).tolist()
    return str(rng.choice(others)), cloth, trim
