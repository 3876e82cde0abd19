"""The glyphs that a page needs, inside the page."""

from __future__ import annotations

import base64
import logging
from functools import lru_cache
from io import BytesIO

from fontTools import subset
from fontTools.ttLib import TTFont

from animeid.fonts import FONT_FILE

RANGES = ((0x1100, 0x1FFF), (0x2E80, 0x10FFFF))
"""Letters that not every machine has glyphs for; punctuation and arrows lie between the two."""

UNICODE_RANGE = ", ".join(f"U+{first:X}-{last:X}" for first, last in RANGES)
"""For the page's style. The font stands first there, for its letters alone: as a fallback, browsers keep boxes for
words that they drew before it was loaded."""


def font_uri(text: str) -> str | None:
    """The part of the bundled font that draws the letters of `text` in RANGES, as WOFF; None where it has none."""
    wanted = {ord(letter) for letter in set(text) if any(first <= ord(letter) <= last for first, last in RANGES)}
    return _part_of_font(frozenset(wanted)) if wanted else None


@lru_cache(maxsize=16)
def _part_of_font(letters: frozenset[int]) -> str:
    """Kept, for pages of one process have mostly the same letters, and cutting takes 0.2 s."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    with TTFont(FONT_FILE, lazy=True, recalcTimestamp=False) as font:  # equal text gives equal bytes
        options = subset.Options(notdef_outline=True, layout_features=[], name_IDs=[], hinting=False)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=letters)
        subsetter.subset(font)
        font.flavor = "woff"
        stream = BytesIO()
        font.save(stream)
    return f"data:font/woff;base64,{base64.b64encode(stream.getvalue()).decode()}"
