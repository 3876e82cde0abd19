"""Evaluation's transform, and its pixels beside those of torch's resize, which evaluation used before."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from animeid.data import torch_resize
from animeid.data.picture_files import decode
from animeid.data.synthetic.build import build_cast
from animeid.data.synthetic.settings import CastSettings
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side, working_size
from animeid.imaging.resize import resize

CAP = 1_000_000
FILTER = Image.Resampling.BILINEAR


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth coloured picture without symmetry."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("source", [(200, 200), (300, 200), (150, 410), (700, 90)])
@pytest.mark.parametrize("size", [(64, 64), (60, 80)])
def test_evaluation_is_an_antialiased_resize_and_a_centre_crop(source: tuple[int, int], size: tuple[int, int]) -> None:
    crop_pct = 0.875
    image = picture(*source)
    scale = max(side / crop_pct / length for side, length in zip(size, source, strict=True))
    height, width = size[0] / scale, size[1] / scale
    top, left = (source[0] - height) / 2, (source[1] - width) / 2
    expected = Image.fromarray(image).resize(size[::-1], FILTER, box=(left, top, left + width, top + height))
    result = EvalTransform(size, crop_pct)(image)
    assert result.shape == (*size, 3)
    difference = np.abs(result.astype(int) - np.asarray(expected))
    assert difference.mean() < 2


def test_evaluation_does_not_alias() -> None:
    """A one-pixel chequerboard becomes even grey; picking pixels would give stripes."""
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    result = EvalTransform((50, 50), 1.0)(np.repeat(board[..., None], 3, axis=2))
    assert result.std() < 8


@pytest.mark.parametrize("source", [(1, 1), (3, 5), (1, 3000), (5000, 2)])
def test_tiny_and_thin_pictures_are_enlarged(source: tuple[int, int]) -> None:
    image = np.full((*source, 3), 77, np.uint8)
    assert np.array_equal(EvalTransform((60, 80), 0.9)(image), np.full((60, 80, 3), 77, np.uint8))


def by_torch(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What evaluation showed of a decoded picture when torch resized it, twice."""
    working = torch_resize.resize(pixels, working_size(*pixels.shape[:2], working_side(size)))
    with patch("animeid.imaging.evaluation.resize", torch_resize.resize):
        return EvalTransform(size, 0.95)(working)


def by_pillow(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    working = resize(pixels, working_size(*pixels.shape[:2], working_side(size)))
    return EvalTransform(size, 0.95)(working)


def assert_as_torch(paths: list[Path], size: tuple[int, int]) -> None:
    """Both round to 8 bits after each of their four passes, torch with coarser weights."""
    steps = np.zeros(256, dtype=np.int64)
    for path in paths:
        pixels = decode(path, CAP, working_side(size))
        difference = np.abs(by_pillow(pixels, size).astype(int) - by_torch(pixels, size))
        steps += np.bincount(difference.ravel(), minlength=256)
    shares = steps / steps.sum()
    assert shares[1] < 0.01
    assert shares[2] < 1e-5
    assert not steps[3:].any()


@pytest.mark.parametrize("size", [(64, 64), (60, 80), (224, 224)])
def test_real_pictures_are_those_that_torch_made(emoji_cast: Path, size: tuple[int, int]) -> None:
    drawn = pd.read_csv(emoji_cast / "manifest.csv")["path"].sample(300, random_state=0)
    assert_as_torch([emoji_cast / path for path in drawn], size)


@pytest.mark.parametrize("size", [(64, 64), (96, 96)])
def test_pictures_of_the_built_in_cast_are_those_that_torch_made(tmp_path: Path, size: tuple[int, int]) -> None:
    settings = CastSettings(characters=4, train_largest=20, imbalance=4.0, val_largest=4, test_per_class=4)
    folder = build_cast(settings, tmp_path, processes=1)
    assert_as_torch(sorted(folder.rglob("*.png")), size)
