"""The 41 attribute columns of the cast's manifest: 1 yes, 0 no, NaN where the picture does not show it."""

from __future__ import annotations

import math

from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot
from animeid.data.synthetic.traits import EYE_COLOURS, HAIR_COLOURS

_HAIR_STYLE = {
    "short": ("short_hair",),
    "spiky": ("short_hair", "spiky_hair"),
    "bob": ("bob_cut",),
    "long": ("long_hair",),
    "wavy": ("long_hair", "curly_hair"),
    "twin_tails": ("long_hair", "twin_tails"),
    "ponytail": ("ponytail",),
    "braids": ("braids",),
    "buns": ("hair_buns",),
    "drills": ("long_hair", "curly_hair", "twin_tails"),
}
_BANGS = {
    "blunt": ("blunt_bangs",),
    "swept": ("swept_bangs",),
    "parted": ("parted_bangs",),
    "jagged": (),
    "over_eye": ("hair_over_one_eye",),
}
_EYE_SHAPE = {"round": (), "sharp": ("sharp_eyes",), "droopy": ("droopy_eyes",), "sleepy": ()}
_ACCESSORY = {
    "ribbon": ("hair_ribbon",),
    "cat_ears": ("animal_ears",),
    "horns": ("horns",),
    "beret": ("hat",),
}
_OUTFIT = {
    "sailor": ("school_uniform",),
    "blazer": ("school_uniform",),
    "kimono": ("japanese_clothes",),
}

_EYE_COLOUR_COLUMNS = tuple(f"{name}_eyes" for name in EYE_COLOURS)
_OUTFIT_COLUMNS = ("school_uniform", "japanese_clothes")

ATTRIBUTES: tuple[str, ...] = (
    *(f"{name}_hair" for name in HAIR_COLOURS),
    "short_hair",
    "long_hair",
    "bob_cut",
    "spiky_hair",
    "curly_hair",
    "twin_tails",
    "ponytail",
    "braids",
    "hair_buns",
    "blunt_bangs",
    "swept_bangs",
    "parted_bangs",
    "hair_over_one_eye",
    *_EYE_COLOUR_COLUMNS,
    "sharp_eyes",
    "droopy_eyes",
    "dark_skin",
    "glasses",
    "hair_ribbon",
    "animal_ears",
    "horns",
    "hat",
    "facial_mark",
    *_OUTFIT_COLUMNS,
    "smile",
)
"""Column names, in order."""


def attributes_of(traits: Traits, shot: Shot) -> dict[str, float]:
    """The attributes of one picture.

    Unknown (NaN) are the colour of closed eyes and what is worn in a picture of the face alone.
    """
    present = {
        f"{traits.hair_colour}_hair",
        *_HAIR_STYLE[traits.hair_style],
        *_BANGS[traits.bangs],
        f"{traits.eye_colour}_eyes",
        *_EYE_SHAPE[traits.eye_shape],
        *_ACCESSORY.get(traits.accessory, ()),
        *_OUTFIT.get(shot.outfit, ()),
    }
    more = {
        "dark_skin": traits.skin == "dark",
        "glasses": traits.eyewear == "glasses",
        "facial_mark": traits.mark != "none",
        "smile": shot.expression.smile,
    }
    present |= {name for name, holds in more.items() if holds}
    values = {name: float(name in present) for name in ATTRIBUTES}
    hidden = _EYE_COLOUR_COLUMNS if shot.expression.openness == 0 else ()
    hidden += _OUTFIT_COLUMNS if shot.crop.name == "face" else ()
    return values | dict.fromkeys(hidden, math.nan)
