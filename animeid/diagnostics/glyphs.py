"""Coverage of names by the fonts that pictures are drawn with."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from animeid.fonts import FONT_FILE
from animeid.plots.fonts import BASE

SAMPLES = ("初音未来", "レミリア・スカーレット", "博麗霊夢", "아리스")
"""Names in Chinese, Japanese and Korean."""


def missing_glyphs(texts: Iterable[str] = SAMPLES) -> str:
    """The characters of `texts`, each once, that none of the fonts can draw; empty where they draw all."""
    files = [font for font in (font_manager.findfont(BASE), FONT_FILE) if FONT_FILE.is_file() or font != FONT_FILE]
    fonts = [FT2Font(str(file)) for file in files]
    characters = {character for text in texts for character in text if not character.isspace()}
    return "".join(
        sorted(letter for letter in characters if not any(font.get_char_index(ord(letter)) for font in fonts))
    )
