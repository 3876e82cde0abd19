"""Changes of style against their definitions: naive loops, SciPy, torch, and the papers' own words."""

from __future__ import annotations

import random as python_random
from collections.abc import Callable
from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.stats import kstest

from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.augment import Augmentation, Change, OneOf
from animeid.data.style_changes.augmix import AugMix
from animeid.data.style_changes.convolution import RandomConvolution, convolved, random_kernel
from animeid.data.style_changes.lines import LineWidth, disc, with_lines
from animeid.data.style_changes.palette import Palette, exchanged, few_colours
from animeid.data.style_changes.sketch import Sketch, drawn
from animeid.errors import InputError

IMAGE = np.random.default_rng(0).integers(0, 256, (21, 34, 3), dtype=np.uint8)
STYLES = ("grey", "sketch", "posterise", "hue", "palette", "lines", "convolution")


def result(change: Change, image: np.ndarray, seed: int = 0) -> np.ndarray:
    return Augmentation({"one": change}, image_size=image.shape[:2])(image, seed)


# Sketch.


def naive_sketch(image: np.ndarray, sigma: float, darkness: float) -> np.ndarray:
    """Colour dodge of the grey picture by its blurred negative, one added to both so that black is paper too."""
    grey = np.rint(image @ [0.299, 0.587, 0.114])
    negative = ndimage.gaussian_filter(255 - grey, sigma, mode="mirror")
    dodged = 256 * (grey + 1) / (256 - negative)
    return 255 * (np.minimum(dodged, 256) / 256) ** darkness


@pytest.mark.parametrize(("sigma", "darkness"), [(0.8, 1.0), (2.0, 3.0)])
def test_a_sketch_is_a_colour_dodge(sigma: float, darkness: float) -> None:
    np.testing.assert_allclose(drawn(IMAGE, sigma, darkness), naive_sketch(IMAGE, sigma, darkness), atol=4)


def test_a_sketch_is_lines_on_white() -> None:
    image = np.full((40, 40, 3), (200, 90, 30), np.uint8)
    image[:, 20:] = (20, 30, 60)
    sketch = result(Sketch(width=(0.04, 0.04), darkness=(2.0, 2.0), p=1), image)
    assert (sketch[:, :12] == 255).all() and (sketch[:, 28:] == 255).all()
    assert (sketch[:, 20] < 128).all()
    assert (sketch == sketch[..., :1]).all()


# Lines.


def naive_morph(image: np.ndarray, footprint: np.ndarray, choose: Callable[[np.ndarray], Any]) -> np.ndarray:
    """Pixel by pixel; outside of the picture nothing counts."""
    reach = len(footprint) // 2
    found = np.empty_like(image)
    height, width, channels = image.shape
    for y in range(height):
        for x in range(width):
            places = [
                (y + dy, x + dx)
                for dy in range(-reach, reach + 1)
                for dx in range(-reach, reach + 1)
                if footprint[dy + reach, dx + reach] and 0 <= y + dy < height and 0 <= x + dx < width
            ]
            for channel in range(channels):
                found[y, x, channel] = choose(np.array([image[place][channel] for place in places]))
    return found


@pytest.mark.parametrize("radius", [-2, -1, 0, 1])
def test_lines_are_the_black_top_hat_put_back(radius: int) -> None:
    image = IMAGE[:14, :17]
    areas = naive_morph(naive_morph(image, disc(2), np.max), disc(2), np.min)
    lines = naive_morph(areas - image, disc(abs(radius)), np.max if radius > 0 else np.min)
    expected = np.clip(areas.astype(int) - lines, 0, 255)
    assert np.array_equal(with_lines(image, radius, 2), expected)


def test_a_line_changes_its_width_and_an_area_does_not() -> None:
    image = np.full((40, 60, 3), 230, np.uint8)
    image[:, 10:13] = 0  # a line
    image[:, 30:] = 40  # an area that is as dark
    for radius, width in ((2, 7), (1, 5), (0, 3), (-1, 1), (-2, 0)):
        changed = with_lines(image, radius, 3)
        assert ((changed[:, :25] == 0).sum(axis=1) == width).all()
        assert np.array_equal(changed[:, 20:], image[:, 20:])


def test_no_reach_gives_the_picture_back() -> None:
    assert np.array_equal(result(LineWidth(reach=(0.0, 0.0), p=1), IMAGE), IMAGE)
    assert not np.array_equal(result(LineWidth(reach=(0.1, 0.1), p=1), IMAGE), IMAGE)


# Palette.


def naive_lab(colours: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of sRGB `[K, 3]` at D65 (IEC 61966-2-1, CIE 15)."""
    shares = colours / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
    ratio = linear @ matrix.T / matrix.sum(axis=1)
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=1)


# Dull ones, which have room for another's tint at their own lightness.
DULL = np.array([[120, 110, 130], [140, 150, 120], [100, 130, 128], [160, 140, 120]], np.uint8)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_colour_takes_the_tint_of_another_and_keeps_its_lightness(share: float) -> None:
    order = np.array([2, 0, 3, 1])
    before, after = naive_lab(DULL), naive_lab(exchanged(DULL, order, share))
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=0.6)
    np.testing.assert_allclose(after[:, 1:], (1 - share) * before[:, 1:] + share * before[order, 1:], atol=1.0)


def test_few_colours_are_left() -> None:
    numbers, colours = few_colours(IMAGE, 7)
    assert len(colours) == numbers.max() + 1 <= 7
    changed = result(Palette(colours=(5, 5), p=1), IMAGE)
    assert len(np.unique(changed.reshape(-1, 3), axis=0)) <= 5


def test_a_picture_of_few_colours_is_given_back_without_a_share() -> None:
    image = np.repeat(np.repeat(DULL.reshape(2, 2, 3), 10, axis=0), 10, axis=1)
    unchanged = result(Palette(colours=(4, 4), share=(0.0, 0.0), p=1), image)
    np.testing.assert_allclose(unchanged.astype(int), image, atol=1)


# Random convolution.


@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_convolution_is_that_of_torch(size: int) -> None:
    random = np.random.default_rng(1)
    pixels, kernel = random.normal(size=(12, 9, 3)).astype(np.float32), random_kernel(size, random)
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    padded = torch.nn.functional.pad(batch, (size // 2,) * 4, mode="reflect")
    expected = torch.nn.functional.conv2d(padded, torch.from_numpy(kernel))[0].permute(1, 2, 0)
    np.testing.assert_allclose(convolved(pixels, kernel), expected.numpy(), atol=1e-5)


def test_kernels_keep_the_variance() -> None:
    """Section 3.1 of the paper: He's initialisation, the variance is one over the number of inputs."""
    drawn_kernels = np.stack([random_kernel(3, np.random.default_rng(seed)) for seed in range(200)])
    assert kstest(drawn_kernels.ravel() * np.sqrt(27), "norm").pvalue > 1e-3


def test_the_original_has_its_share() -> None:
    for sizes in ((1,), (5,)):
        assert np.array_equal(result(RandomConvolution(sizes=sizes, share=(1.0, 1.0), p=1), IMAGE), IMAGE)
    grey = np.full((9, 9, 3), 128, np.uint8)
    assert (np.abs(result(RandomConvolution(p=1), grey).astype(int) - 128) <= 2).all()


def test_a_mixed_convolution_lies_on_the_way() -> None:
    dull = (100 + IMAGE / 8).astype(np.uint8)  # nothing is cut off
    none, half = (
        result(RandomConvolution(sizes=(3,), share=(share, share), p=1), dull, seed=4) for share in (0.0, 0.5)
    )
    assert none.min() > 0
    assert none.max() < 255
    np.testing.assert_allclose(half, (none.astype(float) + dull) / 2, atol=1.01)


# AugMix.


class Shifted(Change):
    """Adds a number of chance to the pixels."""

    def change(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return image + np.uint8(random.integers(1, 20))


def naive_augmix(image: np.ndarray, random: np.random.Generator, width: int, depth: tuple[int, int]) -> np.ndarray:
    """Algorithm 1 of the paper with one operation, line by line."""
    weights = random.dirichlet(np.ones(width))
    m = random.beta(1, 1)
    mixed = np.zeros(image.shape)
    for weight in weights:
        length = int(random.integers(depth[0], depth[1] + 1))
        random.integers(1, size=length)  # which operation: there is one
        augmented = image.astype(float)
        for _ in range(length):
            augmented = augmented + random.integers(1, 20)
        mixed = mixed + weight * augmented
    return m * image + (1 - m) * mixed


@pytest.mark.parametrize(("width", "depth"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2))])
def test_augmix_is_the_algorithm_of_the_paper(width: int, depth: tuple[int, int]) -> None:
    image = (IMAGE // 2).astype(np.uint8)
    for seed in range(5):
        op = AugMix({"shifted": Shifted(p=1)}, width=width, depth=depth, p=1)
        op.set_random_state(np.random.default_rng(seed), python_random.Random(seed))
        expected = naive_augmix(image, np.random.default_rng(seed), width, depth)
        np.testing.assert_allclose(op(image=image)["image"], expected, atol=0.51)


def test_the_weights_of_augmix_sum_to_one() -> None:
    for seed in range(20):
        assert np.array_equal(result(AugMix({"nothing": A.NoOp(p=1)}, p=1), IMAGE, seed), IMAGE)


def test_the_share_of_the_original_follows_the_beta_distribution() -> None:
    white = np.full((1, 1, 3), 255, np.uint8)
    op = AugMix({"black": A.InvertImg(p=1)}, depth=(1, 1), p=1)
    shares = np.array([result(op, white, seed)[0, 0, 0] for seed in range(600)]) / 255
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 600) / 255  # levels are whole numbers
    assert kstest(np.clip(shares + noise, 0, 1), "uniform").pvalue > 1e-3


# The cards.


def test_one_of_takes_by_weight_and_refuses_none() -> None:
    ops = {
        "black": A.PixelDropout(dropout_prob=1.0, p=0.25),
        "mirror": A.HorizontalFlip(p=0.75),
        "never": A.InvertImg(p=0),
    }
    results = [result(OneOf(ops, p=0.8), IMAGE, seed).tobytes() for seed in range(500)]  # type: ignore[arg-type]
    counts = [results.count(one.tobytes()) for one in (IMAGE, np.zeros_like(IMAGE), IMAGE[:, ::-1])]
    assert sum(counts) == 500
    np.testing.assert_allclose(np.array(counts) / 500, (0.2, 0.2, 0.6), atol=0.07)
    with pytest.raises(InputError, match=r"never.*p above 0"):
        OneOf({"never": A.InvertImg(p=0)})


@pytest.mark.parametrize("style", STYLES)
def test_each_style_can_be_had_alone(style: str) -> None:
    others = [f"augment.ops.style.ops.{name}.p=0" for name in STYLES if name != style]
    still = [f"augment.ops.{name}.p=0" for name in ("flip", "rotate", "brightness")]
    words = ["recipe=none", "augment=style", "augment.crop_scale=null", "augment.ops.style.p=1", *still, *others]
    node = compose("train", words)["augment"]
    assert tuple(node["ops"]["style"]["ops"]) == STYLES
    made = gateway.build(node, "augment", image_size=(84, 136))
    image = IMAGE.repeat(4, axis=0).repeat(4, axis=1)
    before = image.copy()
    results = [made(image, seed) for seed in range(12)]
    assert np.array_equal(image, before)
    assert any(not np.array_equal(one, image) for one in results)
    assert np.array_equal(made(image, 3), results[3])


def test_the_strength_can_follow_over_fitting() -> None:
    """`adaptive` with other pictures as its strong ones."""
    node = compose("train", ["recipe=none", "augment=adaptive", "augment@augment.strong=style"])["augment"]
    made = gateway.build(node, "augment", image_size=(32, 32))
    made.look_at(np.array([50]))
    made.follow(torch.tensor([1.0]), torch.tensor([0.0]))
    style = gateway.build(compose("train", ["recipe=none", "augment=style"])["augment"], "augment", image_size=(32, 32))
    assert all(np.array_equal(made(IMAGE, seed, 0), style(IMAGE, seed)) for seed in range(10))
