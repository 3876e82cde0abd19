"""Settings of the built-in cast; light: the command line reads them before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Interval

Style = Literal["cel", "flat", "sketch", "pixel"]


@dataclass(frozen=True, kw_only=True)
class CastSettings:
    """A cast of procedurally drawn characters. Equal settings give equal pictures, byte for byte.

    characters: number of characters (classes).
    seed: moves identities and pictures; apart from the run's seed.
    size: pixels of a picture's side.
    imbalance: pictures of the largest class over those of the smallest, in train and in val.
    train_largest, val_largest: pictures of the largest class; the others fall geometrically from there.
    test_per_class: test pictures of every class.
    twins: share of characters that differ from another one in a single trait.
    other_outfits: share of pictures in which a character wears another character's kind of outfit.
    held_out_style: this style is in the test part only, and the test part has no other; None mixes all styles.
    """

    characters: Annotated[int, Interval(ge=2, le=5000)] = 24
    seed: Annotated[int, Ge(0)] = 0
    size: Annotated[int, Interval(ge=32, le=512)] = 128
    imbalance: Annotated[float, Ge(1)] = 50.0
    train_largest: Annotated[int, Ge(1)] = 250
    val_largest: Annotated[int, Ge(1)] = 50
    test_per_class: Annotated[int, Ge(1)] = 20
    twins: Annotated[float, Interval(ge=0, le=1)] = 0.25
    other_outfits: Annotated[float, Interval(ge=0, le=1)] = 0.1
    held_out_style: Style | None = None
