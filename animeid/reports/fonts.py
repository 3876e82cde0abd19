"""The bundled font, so that Chinese, Japanese and Korean names are drawn on any machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from matplotlib import font_manager

import animeid.fonts

BASE = "DejaVu Sans"
FONT_FILE = Path(animeid.fonts.__file__).with_name("wqy-microhei.ttf")


@cache
def font_families() -> list[str]:
    """Families in the order in which a character is looked for: matplotlib's own, then the bundled one."""
    font_manager.fontManager.addfont(FONT_FILE)
    return [BASE, font_manager.FontProperties(fname=FONT_FILE).get_name()]
