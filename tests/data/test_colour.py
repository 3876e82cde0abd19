"""Our changes of colour against torchvision's, and the transform against albumentations' own."""

from __future__ import annotations

import random

import albumentations as A
import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F

from animeid.data import colour
from animeid.data.augment import ColorJitter


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """Smooth colours of all kinds, with black, white and grey."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3).astype(float)
    spread = np.clip((smooth - 128) * 6 + 128, 0, 255).astype(np.uint8)
    spread[:4], spread[4:8], spread[8:12] = 0, 255, 128
    return spread


@pytest.mark.parametrize("factor", [0.0, 0.3, 0.7, 1.0, 1.4, 3.0])
@pytest.mark.parametrize("name", ["adjust_brightness", "adjust_contrast", "adjust_saturation"])
def test_factors_are_torchvisions(name: str, factor: float, drawn: np.ndarray) -> None:
    """Torchvision cuts fractions off, and rounds the mean grey; we round once."""
    expected = getattr(F, name)(torch.from_numpy(drawn).permute(2, 0, 1), factor).permute(1, 2, 0).numpy()
    assert abs(getattr(colour, name)(drawn, factor).astype(int) - expected).max() <= 2


@pytest.mark.parametrize("shift", [-0.5, -0.2, -0.05, 0.0, 0.01, 0.3, 0.5])
def test_hue_is_torchvisions(shift: float, drawn: np.ndarray) -> None:
    """Eight bits hold a hue to 1.4 degrees, which is up to 6 levels between two saturated colours."""
    expected = F.adjust_hue(torch.from_numpy(drawn).permute(2, 0, 1), shift).permute(1, 2, 0).numpy()
    difference = abs(colour.adjust_hue(drawn, shift).astype(int) - expected)
    assert difference.max() <= 6
    assert difference.mean() < 1.5


def test_the_transform_is_albumentations_with_the_same_random_numbers(drawn: np.ndarray) -> None:
    arguments = {
        "brightness": (0.7, 1.3),
        "contrast": (0.7, 1.3),
        "saturation": (0.7, 1.3),
        "hue": (-0.1, 0.1),
        "p": 0.8,
    }
    ours, theirs = ColorJitter(**arguments), A.ColorJitter(**arguments)
    unchanged = 0
    for seed in range(30):
        found = []
        for op in (ours, theirs):
            op.set_random_state(np.random.default_rng(seed), random.Random(seed))
            found.append(op(image=drawn)["image"].astype(int))
        # Theirs holds a hue to 2 degrees.
        assert abs(found[0] - found[1]).mean() < 3
        unchanged += np.array_equal(found[0], drawn)
        assert np.array_equal(found[0], drawn) == np.array_equal(found[1], drawn)
    assert 0 < unchanged < 20


def test_what_is_given_stays_as_it_is(drawn: np.ndarray) -> None:
    before = drawn.copy()
    ColorJitter(0.5, 0.5, 0.5, 0.2, p=1.0)(image=drawn)
    assert np.array_equal(drawn, before)
