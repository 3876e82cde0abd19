"""A sentence about a picture that does not give the name away."""

from __future__ import annotations

from animeid.data.synthetic.identity import Traits
from animeid.data.synthetic.nuisance import Shot

_CROP = {"face": "A close-up", "bust": "A bust portrait", "full": "A full-length picture"}
_STYLE = {"cel": "cel shaded", "flat": "in flat colours", "sketch": "as a pencil sketch", "pixel": "as pixel art"}
_HAIR = {
    "short": "short {0} hair",
    "spiky": "spiky {0} hair",
    "bob": "a {0} bob",
    "long": "long {0} hair",
    "wavy": "long wavy {0} hair",
    "twin_tails": "{0} twin tails",
    "ponytail": "a {0} ponytail",
    "braids": "{0} braids",
    "buns": "{0} hair in two buns",
    "drills": "{0} ringlets",
}
_BANGS = {
    "blunt": "blunt bangs",
    "swept": "swept bangs",
    "parted": "parted bangs",
    "jagged": "jagged bangs",
    "over_eye": "bangs over one eye",
}
_ACCESSORY = {
    "ribbon": "a hair ribbon",
    "flower": "a flower in the hair",
    "hairpin": "a star hairpin",
    "headband": "a headband",
    "cat_ears": "cat ears",
    "horns": "horns",
    "beret": "a beret",
    "headphones": "headphones",
}
_EYEWEAR = {"glasses": "glasses", "eyepatch": "an eyepatch"}
_MARK = {
    "mole": "a mole under the eye",
    "freckles": "freckles",
    "scar": "a scar on the cheek",
    "plaster": "a plaster on the nose",
    "star": "a star on the cheek",
}
_OUTFIT = {
    "sailor": "a sailor uniform",
    "blazer": "a school blazer",
    "hoodie": "a hoodie",
    "kimono": "a kimono",
    "dress": "a dress",
    "turtleneck": "a turtleneck sweater",
    "tracksuit": "a tracksuit",
    "cape": "a cape",
}
_BACKGROUND = {
    "plain": "before a plain backdrop",
    "sky": "under a blue sky",
    "sunset": "at sunset",
    "night": "at night",
    "city": "in a city",
    "petals": "among falling petals",
    "stripes": "before stripes",
    "dots": "before dots",
    "rays": "before bright rays",
    "room": "in a room",
}


def caption_of(traits: Traits, shot: Shot) -> str:
    """One English sentence: crop, hair, eyes, what is worn, expression, place, style."""
    features = [
        _HAIR[traits.hair_style].format(traits.hair_colour),
        _BANGS[traits.bangs],
        f"{traits.eye_shape} {traits.eye_colour} eyes",
        *(table[value] for table, value in _extras(traits) if value in table),
    ]
    wearing = "" if shot.crop.name == "face" else f" wearing {_OUTFIT[shot.outfit]},"
    return (
        f"{_CROP[shot.crop.name]} of a {shot.expression.name} character with {_listed(features)},"
        f"{wearing} {_BACKGROUND[shot.background]}, {_STYLE[shot.style]}."
    )


def _extras(traits: Traits) -> tuple[tuple[dict[str, str], str], ...]:
    return (_ACCESSORY, traits.accessory), (_EYEWEAR, traits.eyewear), (_MARK, traits.mark)


def _listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
