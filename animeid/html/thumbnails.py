"""Pictures inside the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from PIL import Image

from animeid.data.picture_files import decode
from animeid.imaging.decode import UnreadableImage

SMALL, LARGE = 88, 168
QUALITY = 78
PAGE_DPI = 96
"""Pixels of a page that browsers take for an inch."""


def as_uri(image: Image.Image) -> str:
    """A WebP picture as text that a page can show without another file."""
    stream = BytesIO()
    image.convert("RGB").save(stream, "WEBP", quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}"


class Chart(NamedTuple):
    """A chart of a page.

    uri: its PNG file, as it is. width: in the page's pixels, at which its letters have the size they were drawn in.
    """

    uri: str
    width: int

    @classmethod
    def of(cls, path: Path) -> Self:
        with Image.open(path) as image:
            width = round(image.width * PAGE_DPI / image.info.get("dpi", (PAGE_DPI, PAGE_DPI))[0])
        return cls(f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}", width)


@dataclass
class Thumbnails:
    """Reads pictures of a manifest; those that are gone are remembered in `missing`."""

    root: Path
    max_pixels: int
    missing: set[str] = field(default_factory=set)

    def pixels(self, path: str, side: int) -> np.ndarray | None:
        """`[h, w, 3]` uint8 of at least `side` pixels where the picture has them; None where it cannot be read."""
        try:
            return decode(self.root / path, self.max_pixels, side, incomplete=True)
        except UnreadableImage:
            self.missing.add(path)
            return None

    def of(self, path: str, side: int = SMALL) -> str | None:
        pixels = self.pixels(path, side)
        if pixels is None:
            return None
        image = Image.fromarray(pixels)
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        return as_uri(image)
