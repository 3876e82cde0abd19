"""Real runs of seconds for tests: their arguments, and pictures to train on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

QUICK = (
    "recipe=none",
    "model=small",
    "model.name=test_resnet",  # a tenth of the size, with as many stages
    "model.pretrained=false",
    "data.image_size=32",
    "data.num_workers=0",
    "data.cache=off",
)


def noise(random: np.random.Generator, path: Path, *, coarse: int = 40) -> None:
    """Writes a picture of 40 px, `coarse` values of noise a side."""
    pixels = random.integers(0, 256, (coarse, coarse, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((40, 40)).save(path)


def class_folders(root: Path, counts: Mapping[str, int], *, coarse: int = 40) -> Path:
    """Folders with so many pictures of noise each."""
    random = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            noise(random, root / name / f"{number}.png", coarse=coarse)
    return root


# A network with layer norm: batch norm on the CPU has statistics of each process's own pictures.
LAYER_NORM = (
    *QUICK,
    "model=vit_small",
    "model.name=test_vit",
    "trainer.precision=32-true",
    "head.dropout=0",
    "optimizer=sgd",
    "optimizer.lr=0.05",
    "augment=none",
)


def uneven_manifest(root: Path) -> Path:
    """21 pictures to train on, 7 to validate, 5 to test and one stranger: uneven for two processes in every part."""
    random = np.random.default_rng(0)
    rows = []
    for split, count in (("train", 21), ("val", 7), ("test", 5), ("unknown", 1)):
        for number in range(count):
            path = f"{split}-{number}.png"
            noise(random, root / path)
            rows.append({"path": path, "label": "ab"[number % 2] if split != "unknown" else "stranger", "split": split})
    pd.DataFrame(rows).to_csv(root / "manifest.csv", index=False)
    return root / "manifest.csv"


class Painted:
    """A transform that paints a picture in one value, so that it is seen which one was applied."""

    def __init__(self, value: int, *, image_size: tuple[int, int]) -> None:
        self.picture = np.full((*image_size, 3), value, np.uint8)

    def __call__(self, image: np.ndarray, seed: int, target: int = -1) -> np.ndarray:
        return self.picture
