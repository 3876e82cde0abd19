"""The bundled font, so that Chinese, Japanese and Korean names are drawn on any machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from matplotlib import font_manager

import animeid.fonts

BASE = "DejaVu Sans"


@cache
def font_families() -> list[str]:
    """Families in the order in which a character is looked for: matplotlib's own, then the bundled one."""
    path = Path(animeid.fonts.__file__).with_name("wqy-microhei.ttf")
    font_manager.fontManager.addfont(path)
    return [BASE, font_manager.FontProperties(fname=path).get_name()]
