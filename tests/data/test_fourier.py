"""Styles by Fourier amplitudes, against NumPy's transform of pixels and the papers' definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from scipy.stats import kstest

from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.fourier import FourierStyle, restyled
from animeid.data.prepare import Prepared
from animeid.engine.transforms import BatchTransforms
from animeid.types import Batch
from tests.small_runs import QUICK

CARDS = sorted((Path(__file__).resolve().parents[2] / "conf" / "restyling").glob("fourier*.yaml"))
MEAN, STD = np.array([0.48, 0.46, 0.41]).reshape(3, 1, 1), np.array([0.23, 0.22, 0.27]).reshape(3, 1, 1)


def pixels(size: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(2).random((size, 3, height, width))


def batch(size: int = 6, first_draw: int = 0, **kind: Any) -> Batch:
    image = torch.from_numpy((pixels(size, 12, 17) - MEAN) / STD).float().to(**kind)
    return {
        "image": image,
        "target": torch.arange(size),
        "row": torch.arange(size),
        "draw": torch.arange(size) + first_draw,
    }


def naive_mix(image: np.ndarray, other: np.ndarray, share: float, band: float | None) -> np.ndarray:
    """One picture of pixels, channel by channel, frequencies in the middle as both papers draw them."""
    found = np.empty_like(image)
    for channel in range(3):
        mine, theirs = (np.fft.fftshift(np.fft.fft2(one[channel])) for one in (image, other))
        amplitude = np.abs(mine)
        height, width = amplitude.shape
        y, x = height // 2, width // 2
        reach = max(height, width) if band is None else int(np.floor(min(height, width) * band))
        area = np.s_[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
        amplitude[area] = (1 - share) * amplitude[area] + share * np.abs(theirs)[area]
        mixed = np.fft.ifft2(np.fft.ifftshift(amplitude * np.exp(1j * np.angle(mine))))
        assert np.abs(mixed.imag).max() < 1e-9
        found[channel] = mixed.real
    return found


@pytest.mark.parametrize("size", [(12, 17), (16, 16), (9, 7)])
@pytest.mark.parametrize("band", [None, 0.01, 0.1, 0.3])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_amplitudes_are_mixed_as_in_the_papers(size: tuple[int, int], band: float | None, share: float) -> None:
    """Of normalised pictures as of pixels, and cut off at the range of the batch."""
    given = pixels(3, *size)
    lowest, highest = given.min((0, 2, 3)).reshape(3, 1, 1), given.max((0, 2, 3)).reshape(3, 1, 1)
    order = [2, 0, 1]
    expected = [
        np.clip(naive_mix(one, given[other], share, band), lowest, highest)
        for one, other in zip(given, order, strict=True)
    ]
    normalised = torch.from_numpy((given - MEAN) / STD).float()
    found = restyled(normalised, torch.tensor(order), torch.full((3,), share), band)
    np.testing.assert_allclose(found.numpy() * STD + MEAN, np.stack(expected), atol=1e-5)


def test_dark_pictures_become_bright_with_the_other_s_mean() -> None:
    """After normalisation a dark picture's mean is negative; its sign is no phase that could be kept."""
    image = torch.stack([torch.full((3, 8, 8), -1.5), torch.full((3, 8, 8), 1.0)])
    found = restyled(image, torch.tensor([1, 0]), torch.ones(2), None)
    torch.testing.assert_close(found, image.flip(0))


def test_without_a_share_pictures_stay_and_phases_always_do() -> None:
    image = batch()["image"]
    order = torch.arange(6).roll(1)
    torch.testing.assert_close(restyled(image, order, torch.zeros(6), None), image, atol=1e-5, rtol=0)
    wide = torch.cat([image / 100, image.abs().amax() * torch.tensor([1.0, -1.0]).view(2, 1, 1, 1) + 0 * image[:2]])
    found = restyled(wide, torch.tensor([1, 2, 3, 4, 5, 0, 6, 7]), torch.full((8,), 0.5), None)[:6]
    before, after = (np.fft.fft2(one.numpy())[..., 1:, 1:] for one in (wide[:6], found))
    assert np.cos(np.angle(before) - np.angle(after)).min() > 0.999


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_cards_change_pictures_alone(path: Path) -> None:
    node = yaml.safe_load(path.read_text()) | {"probability": 1.0}
    given = batch()
    before = given["image"].clone()
    found = gateway.build(node, "restyling", seed=1)(given, 0)
    assert not torch.allclose(found["image"], before)
    assert torch.equal(given["image"], before)
    assert all(found[name] is given[name] for name in ("target", "row", "draw"))


def test_changes_depend_on_seed_epoch_and_first_draw_alone() -> None:
    def changed(seed: int, epoch: int, draw: int) -> torch.Tensor:
        return FourierStyle(seed)(batch(first_draw=draw), epoch)["image"]

    first = changed(7, 2, 0)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    assert torch.equal(first, changed(7, 2, 0))
    assert torch.equal(state, torch.get_rng_state())
    assert not any(torch.equal(first, changed(*other)) for other in ((8, 2, 0), (7, 3, 0), (7, 2, 1)))


def test_each_picture_has_a_share_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[torch.Tensor] = []

    def keep(image: torch.Tensor, others: torch.Tensor, shares: torch.Tensor, band: float | None) -> torch.Tensor:
        found.append(shares)
        return image

    monkeypatch.setattr("animeid.data.fourier.restyled", keep)
    untouched = 0
    for draw in range(300):
        before = len(found)
        FourierStyle(1, (0.2, 0.7), probability=0.6)(batch(first_draw=draw), 0)
        untouched += len(found) == before
    assert kstest(torch.cat(found).numpy(), "uniform", (0.2, 0.5)).pvalue > 1e-3
    assert 80 <= untouched <= 160


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_type_and_layout_are_kept(layout: torch.memory_format, dtype: torch.dtype) -> None:
    image = FourierStyle(1)(batch(dtype=dtype, memory_format=layout), 0)["image"]
    assert image.dtype == dtype
    assert image.is_contiguous(memory_format=layout)


def test_pictures_are_restyled_before_they_are_mixed(prepared: Prepared) -> None:
    transforms = BatchTransforms(
        restyle=lambda batch, epoch: {**batch, "image": batch["image"] + 1},
        mixing=lambda batch, epoch: {**batch, "image": batch["image"] * 2},
    )
    given = batch()
    assert torch.equal(transforms(given, 0)["image"], (given["image"] + 1) * 2)
    plan = make_plan(compose("train", [*QUICK, "restyling=fourier", "mixing=mixup"]), prepared, "cpu")
    assert build(plan, prepared).module.transforms.restyle == FourierStyle(1, (0.0, 1.0), None, 0.5)
