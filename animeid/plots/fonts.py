"""Font families of charts."""

from __future__ import annotations

from functools import cache

from matplotlib import font_manager

from animeid.fonts import FONT_FILE

BASE = "DejaVu Sans"


@cache
def font_families() -> list[str]:
    """Families in the order in which a character is looked for: matplotlib's own, then the bundled one."""
    font_manager.fontManager.addfont(FONT_FILE)
    return [BASE, font_manager.FontProperties(fname=FONT_FILE).get_name()]
