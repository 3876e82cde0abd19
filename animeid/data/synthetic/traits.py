"""The values that a character's traits can take, and their colours (RGB, 0 to 255)."""

from __future__ import annotations

RGB = tuple[int, int, int]

HAIR_STYLES = (
    "short",
    "spiky",
    "bob",
    "long",
    "wavy",
    "twin_tails",
    "ponytail",
    "braids",
    "buns",
    "drills",
)
BANGS = ("blunt", "swept", "parted", "jagged", "over_eye")
EYE_SHAPES = ("round", "sharp", "droopy", "sleepy")
ACCESSORIES = ("none", "ribbon", "flower", "hairpin", "headband", "cat_ears", "horns", "beret", "headphones")
EYEWEAR = ("none", "glasses", "eyepatch")
MARKS = ("none", "mole", "freckles", "scar", "plaster", "star")
OUTFITS = ("sailor", "blazer", "hoodie", "kimono", "dress", "turtleneck", "tracksuit", "cape")

HAIR_COLOURS: dict[str, RGB] = {
    "black": (62, 58, 78),
    "brown": (134, 88, 64),
    "blonde": (246, 212, 126),
    "red": (204, 66, 62),
    "pink": (248, 160, 188),
    "purple": (152, 112, 204),
    "blue": (94, 140, 224),
    "green": (104, 178, 132),
    "silver": (212, 216, 230),
    "orange": (242, 148, 74),
}
EYE_COLOURS: dict[str, RGB] = {
    "blue": (58, 126, 226),
    "green": (50, 164, 98),
    "red": (216, 52, 66),
    "brown": (146, 88, 46),
    "purple": (146, 84, 210),
    "yellow": (232, 174, 32),
}
SKINS: dict[str, RGB] = {"fair": (255, 232, 216), "tan": (236, 186, 146), "dark": (172, 118, 88)}
CLOTH_COLOURS: dict[str, RGB] = {
    "navy": (62, 78, 128),
    "white": (242, 242, 246),
    "crimson": (190, 58, 74),
    "charcoal": (78, 78, 92),
    "mint": (150, 214, 190),
    "mustard": (232, 188, 84),
    "lilac": (194, 170, 226),
    "sky": (134, 190, 236),
    "rose": (238, 158, 172),
    "forest": (78, 128, 98),
}
