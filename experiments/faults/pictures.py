"""Two classes of noise, enough to train a tiny network on in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COUNTS = {"ミク": 13, "other": 17}
SIDE = 40


def write_pictures(root: Path) -> None:
    random = np.random.default_rng(0)
    for name, count in COUNTS.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
