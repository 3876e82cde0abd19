"""Plan of a cast: counts and random streams."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from animeid.data.synthetic.identity import Character
from animeid.data.synthetic.nuisance import STYLES, Shot, make_shot
from animeid.data.synthetic.settings import CastSettings, Style

SPLITS = ("train", "val", "test")
_RANK_STREAM = 0x7A11


class Picture(NamedTuple):
    """A picture to draw. character: position in the cast. number: within its character and split."""

    split: str
    character: int
    number: int


def long_tail(classes: int, largest: int, imbalance: float) -> np.ndarray:
    """`[classes]` int64, falling geometrically from `largest` to `largest / imbalance`, at least 1 (Cui 2019)."""
    share = np.arange(classes) / max(1, classes - 1)
    return np.maximum(1, np.rint(largest * imbalance**-share)).astype(np.int64)


def split_counts(settings: CastSettings) -> dict[str, np.ndarray]:
    """Pictures of each character (`[characters]`) in each split; who is rare is drawn by the cast's seed."""
    rank = np.random.default_rng([settings.seed, _RANK_STREAM]).permutation(settings.characters)
    train = long_tail(settings.characters, settings.train_largest, settings.imbalance)[rank]
    val = long_tail(settings.characters, settings.val_largest, settings.imbalance)[rank]
    return {"train": train, "val": val, "test": np.full(settings.characters, settings.test_per_class)}


def make_plan(settings: CastSettings) -> list[Picture]:
    """All pictures of a cast, by split, character and number."""
    counts = split_counts(settings)
    return [
        Picture(split, character, number)
        for split in SPLITS
        for character in range(settings.characters)
        for number in range(counts[split][character])
    ]


def shot_of(picture: Picture, character: Character, settings: CastSettings) -> Shot:
    """The picture's nuisance, from a stream of its own, so that no picture depends on another or on their number."""
    stream = [settings.seed, 1 + SPLITS.index(picture.split), picture.character, picture.number]
    return make_shot(character, settings, styles_of(picture.split, settings), np.random.default_rng(stream))


def styles_of(split: str, settings: CastSettings) -> tuple[Style, ...]:
    """The render styles that a split may show."""
    held_out = settings.held_out_style
    if held_out is None:
        return STYLES
    return (held_out,) if split == "test" else tuple(style for style in STYLES if style != held_out)
