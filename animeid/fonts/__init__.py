"""The bundled font, so that Chinese, Japanese and Korean names are drawn on any machine."""

from __future__ import annotations

from pathlib import Path

FONT_FILE = Path(__file__).with_name("wqy-microhei.ttf")
