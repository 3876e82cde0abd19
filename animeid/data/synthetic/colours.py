"""Colour arithmetic on RGB triples: shade and light in the way that cel paint does it, cool below and warm above."""

from __future__ import annotations

from functools import lru_cache

from animeid.data.synthetic.traits import RGB

WHITE: RGB = (255, 255, 255)
INK: RGB = (52, 36, 60)


@lru_cache(maxsize=4096)
def mix(first: RGB, second: RGB, share: float) -> RGB:
    """`first` with `share` (0 to 1) of `second` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


@lru_cache(maxsize=4096)
def scale(colour: RGB, red: float, green: float, blue: float) -> RGB:
    """Each channel times its factor, held within 0 and 255."""
    gains = (red, green, blue)
    r, g, b = (min(255, max(0, round(value * gain))) for value, gain in zip(colour, gains, strict=True))
    return r, g, b


def shaded(colour: RGB) -> RGB:
    """The colour in shadow: darker and a little cooler."""
    return scale(colour, 0.76, 0.68, 0.8)


def lit(colour: RGB, share: float = 0.5) -> RGB:
    """The colour in a highlight."""
    return mix(colour, WHITE, share)


def line_of(colour: RGB) -> RGB:
    """The colour of the line round an area: coloured line art, never plain black."""
    return mix(scale(colour, 0.42, 0.34, 0.42), INK, 0.45)


def grey(colour: RGB) -> RGB:
    """The colour without its hue (ITU-R BT.601 luma)."""
    luma = round(0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2])
    return luma, luma, luma
