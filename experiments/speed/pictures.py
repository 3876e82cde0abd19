"""Pictures to measure on: JPEG of 300 to 1,000 px that weigh what photographs weigh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 8


def write_pictures(folder: Path, per_class: int) -> None:
    """Class folders of smooth pictures with some texture."""
    random = np.random.default_rng(0)
    for label in range(CLASSES):
        target = folder / f"class_{label}"
        target.mkdir(parents=True)
        for number in range(per_class):
            height, width = random.integers(300, 1001, 2)
            coarse = random.integers(0, 256, (12, 12, 3), dtype=np.uint8)
            picture = np.asarray(
                Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16
            )
            noise = random.integers(-12, 13, picture.shape, dtype=np.int16)
            Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8)).save(target / f"{number}.jpg", quality=90)
