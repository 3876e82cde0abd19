"""Identities: traits, shared palettes, hard twins."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from animeid.data.synthetic.names import make_names
from animeid.data.synthetic.settings import CastSettings
from animeid.data.synthetic.traits import (
    ACCESSORIES,
    BANGS,
    CLOTH_COLOURS,
    EYE_COLOURS,
    EYE_SHAPES,
    EYEWEAR,
    HAIR_COLOURS,
    HAIR_STYLES,
    MARKS,
    OUTFITS,
    SKINS,
)
from animeid.errors import InputError

_IDENTITY_STREAM = 0xCA57
_SHARERS = 4  # characters to a palette, so that colour alone names nobody
_CLEARLY_APART = 3  # telling traits in which characters that are no twins differ
_TRIES = 200


@dataclass(frozen=True)
class Traits:
    """What makes a character; each field is one trait. Values are those of `traits`."""

    hair_style: str
    bangs: str
    hair_colour: str
    eye_colour: str
    eye_shape: str
    skin: str
    accessory: str
    eyewear: str
    mark: str
    outfit: str
    cloth: str
    trim: str


OPTIONS: dict[str, tuple[str, ...]] = {
    "hair_style": HAIR_STYLES,
    "bangs": BANGS,
    "hair_colour": tuple(HAIR_COLOURS),
    "eye_colour": tuple(EYE_COLOURS),
    "eye_shape": EYE_SHAPES,
    "skin": tuple(SKINS),
    "accessory": ACCESSORIES,
    "eyewear": EYEWEAR,
    "mark": MARKS,
    "outfit": OUTFITS,
    "cloth": tuple(CLOTH_COLOURS),
    "trim": tuple(CLOTH_COLOURS),
}
PALETTE = ("hair_colour", "eye_colour", "skin", "cloth", "trim")
# Outfits change between pictures and lie outside a picture of the face, so they never tell two characters apart alone.
TELLING = ("hair_style", "bangs", "hair_colour", "eye_colour", "eye_shape", "skin", "accessory", "eyewear", "mark")
_LIKELIHOOD = {
    "skin": (0.7, 0.2, 0.1),
    "eyewear": (0.78, 0.16, 0.06),
    "mark": (0.5, 0.1, 0.1, 0.1, 0.1, 0.1),
}


@dataclass(frozen=True)
class Character:
    """name: the label. twin_of: position of the character that it differs from in one trait, or None."""

    name: str
    traits: Traits
    twin_of: int | None = None


def differing(first: Traits, second: Traits) -> list[str]:
    """The names of the traits in which two characters differ."""
    return [field.name for field in fields(Traits) if getattr(first, field.name) != getattr(second, field.name)]


class _Cast:
    """Characters made so far, and how far a new one stands from them."""

    def __init__(self) -> None:
        self.traits: list[Traits] = []
        self._codes = np.zeros((0, len(TELLING)), dtype=np.int64)

    def add(self, traits: Traits) -> None:
        self.traits.append(traits)
        self._codes = np.concatenate([self._codes, self._code(traits)[None]])

    def distance(self, traits: Traits) -> int:
        """Telling traits between these and the most similar character."""
        if not len(self._codes):
            return len(TELLING)
        return int((self._codes != self._code(traits)).sum(axis=1).min())

    @staticmethod
    def _code(traits: Traits) -> np.ndarray:
        return np.array([OPTIONS[name].index(getattr(traits, name)) for name in TELLING])


def make_cast(settings: CastSettings) -> list[Character]:
    """The characters of a cast, in the order of their positions.

    Raises InputError when there are more characters than traits can tell apart.
    """
    rng = np.random.default_rng([settings.seed, _IDENTITY_STREAM])
    cast = _Cast()
    twins = min(round(settings.characters * settings.twins), settings.characters // 2)
    singles = settings.characters - twins
    palettes = [_draw(PALETTE, rng) for _ in range(max(2, -(-singles // _SHARERS)))]
    for index in range(singles):
        cast.add(_single(cast, palettes[index % len(palettes)], rng))
    originals = rng.permutation(singles)[:twins]
    for original in originals:
        cast.add(_twin(cast, cast.traits[original], rng))
    names = make_names(settings.characters, rng)
    twin_of = [None] * singles + [int(original) for original in originals]
    return [Character(*parts) for parts in zip(names, cast.traits, twin_of, strict=True)]


def _draw(names: tuple[str, ...], rng: np.random.Generator) -> dict[str, str]:
    return {name: str(rng.choice(OPTIONS[name], p=_LIKELIHOOD.get(name))) for name in names}


def _single(cast: _Cast, palette: dict[str, str], rng: np.random.Generator) -> Traits:
    """Somebody new in a given palette, as far from everybody as the room that is left allows."""
    shapes = tuple(name for name in OPTIONS if name not in PALETTE)
    for apart in range(_CLEARLY_APART, 0, -1):
        for _ in range(_TRIES):
            traits = Traits(**palette, **_draw(shapes, rng))
            if traits.cloth == traits.trim:
                traits = replace(traits, trim="white" if traits.cloth != "white" else "navy")
            if cast.distance(traits) >= apart:
                return traits
    raise _too_many()


def _twin(cast: _Cast, original: Traits, rng: np.random.Generator) -> Traits:
    """The original with one telling trait changed."""
    for _ in range(_TRIES):
        name = str(rng.choice(TELLING))
        twin = replace(original, **_draw((name,), rng))
        if cast.distance(twin) >= 1:
            return twin
    raise _too_many()


def _too_many() -> InputError:
    return InputError("data.cast.characters asks for more characters than the traits can tell apart; ask for fewer.")
