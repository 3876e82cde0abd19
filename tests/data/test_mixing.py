"""Mixup and CutMix against timm's arithmetic, the papers' definitions and their own promises."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest
from timm.data.mixup import mixup_target, rand_bbox
from torch import Tensor
from torchvision.transforms import v2

from animeid.assembly.planning import plan_for
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.mixing import Mixing, class_rows, clipped_box, cutmix, mixup
from animeid.errors import InputError
from animeid.types import Batch

CARDS = sorted((Path(__file__).resolve().parents[2] / "conf" / "mixing").glob("*mix*.yaml"))
CLASSES = 5
BOTH = {"mixup_alpha": 1.0, "cutmix_alpha": 1.0}


def batch(size: int = 6, height: int = 12, width: int = 20, first_draw: int = 0, **kind: Any) -> Batch:
    random = torch.Generator().manual_seed(3)
    return {
        "image": torch.randn(size, 3, height, width, generator=random).to(**kind),
        "target": torch.randint(CLASSES, (size,), generator=random),
        "row": torch.arange(size),
        "draw": torch.arange(size) + first_draw,
    }


def mixing(**arguments: Any) -> Mixing:
    return Mixing(CLASSES, seed=7, **arguments)


@pytest.mark.parametrize("lam", [0.0, 0.3, 0.5, 1.0])
def test_mixup_is_that_of_timm(lam: float) -> None:
    given = batch()
    flipped = torch.arange(6).flip(0)  # timm's only permutation
    image, target = mixup(given["image"], class_rows(given["target"], CLASSES), flipped, lam)
    expected = given["image"] * lam + given["image"].flip(0) * (1 - lam)  # Mixup._mix_batch
    torch.testing.assert_close(image, expected)
    torch.testing.assert_close(target, mixup_target(given["target"], CLASSES, lam))


def test_mixup_is_that_of_torchvision() -> None:
    given = batch()
    reference = v2.MixUp(num_classes=CLASSES)
    expected_image = reference.transform(given["image"], {"lam": 0.3, "labels": given["target"], "batch_size": 6})
    expected_target = reference.transform(given["target"], {"lam": 0.3, "labels": given["target"], "batch_size": 6})
    image, target = mixup(given["image"], class_rows(given["target"], CLASSES), torch.arange(6).roll(1), 0.3)
    torch.testing.assert_close(image, expected_image)
    torch.testing.assert_close(target, expected_target)


def test_cutmix_is_that_of_torchvision() -> None:
    given, box = batch(), (2, 9, 5, 20)
    area = (9 - 2) * (20 - 5)
    facts = {"box": (5, 2, 20, 9), "lam_adjusted": 1 - area / 240, "labels": given["target"], "batch_size": 6}
    reference = v2.CutMix(num_classes=CLASSES)
    image, target = cutmix(given["image"], class_rows(given["target"], CLASSES), torch.arange(6).roll(1), box)
    torch.testing.assert_close(image, reference.transform(given["image"], facts))
    torch.testing.assert_close(target, reference.transform(given["target"], facts))


@pytest.mark.parametrize(("height", "width"), [(12, 20), (31, 7), (1, 1), (32, 32)])
def test_boxes_are_those_of_timm(height: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for lam in (0.0, 0.1, 0.5, 0.77, 0.99, 1.0):
        for y, x in {(0, 0), (height // 2, width // 3), (height - 1, width - 1)}:
            centre = iter((y, x))
            with monkeypatch.context() as patch:
                patch.setattr(np.random, "randint", lambda *_, size=None, centre=centre: next(centre))
                expected = rand_bbox((1, 3, height, width), lam)
            assert clipped_box(height, width, lam, (y, x)) == tuple(int(edge) for edge in expected)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**40), st.sampled_from([1e-3, 1.0, 1e3])
)
def test_target_shares_are_shares_of_pixels(height: int, width: int, size: int, draw: int, alpha: float) -> None:
    """Each picture is filled with its own number, so that its pixels can be counted afterwards."""
    given: Batch = {
        "image": torch.arange(size).float().view(-1, 1, 1, 1).expand(size, 3, height, width).clone(),
        "target": torch.arange(size),
        "row": torch.arange(size),
        "draw": torch.full((size,), draw),
    }
    mixed = Mixing(size, seed=1, cutmix_alpha=alpha)(given, 0)
    counted = torch.stack([(mixed["image"] == number).float().mean((1, 2, 3)) for number in range(size)], 1)
    torch.testing.assert_close(mixed["target"], counted)
    torch.testing.assert_close(mixed["target"].sum(1), torch.ones(size))
    blended = Mixing(size, seed=1, mixup_alpha=alpha)(given, 0)
    torch.testing.assert_close(blended["target"].sum(1), torch.ones(size))
    numbers = (blended["target"] * torch.arange(size)).sum(1)
    torch.testing.assert_close(blended["image"].mean((1, 2, 3)), numbers, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_cards_mix_and_leave_the_rest_alone(path: Path) -> None:
    card = yaml.safe_load(path.read_text()) | {"probability": 1.0}
    built = gateway.build(card, "mixing", num_classes=CLASSES, seed=1)
    given = batch()
    given["attributes"] = torch.full((6, 2), torch.nan)
    before = {name: value.clone() for name, value in given.items()}
    mixed = built(given, 0)
    assert mixed["target"].shape == (6, CLASSES)
    assert mixed["target"].dtype == torch.float32
    assert mixed["row"] is given["row"] and mixed["draw"] is given["draw"]
    assert mixed["attributes"] is given["attributes"]
    assert all(torch.equal(value, before[name]) for name, value in given.items() if name != "attributes")


def test_three_cards_are_there() -> None:
    assert [path.stem for path in CARDS] == ["cutmix", "mixup", "mixup_cutmix"]


def same(left: Batch, right: Batch) -> bool:
    return torch.equal(left["image"], right["image"]) and torch.equal(left["target"], right["target"])


def test_mixing_depends_on_seed_epoch_and_first_draw_alone() -> None:
    first = mixing(**BOTH)(batch(), 2)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    another = mixing(**BOTH)
    another(batch(first_draw=99), 0)  # what was mixed before does not matter
    assert same(first, another(batch(), 2))
    assert torch.equal(state, torch.get_rng_state())
    others = [
        mixing(**BOTH)(batch(), 3),
        mixing(**BOTH)(batch(first_draw=1), 2),
        Mixing(CLASSES, 8, **BOTH)(batch(), 2),
    ]
    assert not any(same(first, other) for other in others)


def kinds(number: int, **arguments: Any) -> list[str]:
    found = []
    given = batch(4, 8, 8)
    for draw in range(number):
        mixed = mixing(**arguments)({**given, "draw": torch.tensor([draw])}, 0)
        if mixed["target"].ndim == 1:
            assert mixed["image"] is given["image"]
            found.append("none")
        else:
            pasted = torch.isin(mixed["image"], given["image"]).all()
            found.append("cutmix" if pasted else "mixup")
    return found


def test_probabilities_are_kept() -> None:
    assert set(kinds(50, probability=0.0, **BOTH)) == {"none"}
    assert "none" not in kinds(50, probability=1.0, **BOTH)
    assert set(kinds(30, probability=1.0, switch_probability=1.0, **BOTH)) == {"cutmix"}
    found = kinds(600, probability=0.7, switch_probability=0.25, mixup_alpha=5.0, cutmix_alpha=1.0)
    mixed = 600 - found.count("none")
    assert binomtest(mixed, 600, 0.7).pvalue > 1e-3
    # Where the permutation happens to be the identity (1 of 24) mixup cannot be told from CutMix.
    assert binomtest(found.count("cutmix"), mixed, 0.25 + 0.75 / 24).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(alpha: float) -> None:
    given: Batch = {
        "image": torch.zeros(2, 3, 2, 2),
        "target": torch.tensor([0, 1]),
        "row": torch.arange(2),
        "draw": torch.arange(2),
    }
    mixed = [mixing(mixup_alpha=alpha)({**given, "draw": torch.tensor([draw])}, 0)["target"] for draw in range(800)]
    shares = [target[0, 0].item() for target in mixed if target[0, 1] > 0]
    assert len(shares) > 200
    assert kstest(np.array(shares), "beta", (alpha, alpha)).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [1e-6, 1e-2, 1e8])
@pytest.mark.parametrize("name", ["mixup_alpha", "cutmix_alpha"])
def test_extreme_alphas_stay_finite(name: str, alpha: float) -> None:
    for draw in range(50):
        mixed = mixing(**{name: alpha})(batch(first_draw=draw), 0)
        assert torch.isfinite(mixed["image"]).all()
        torch.testing.assert_close(mixed["target"].sum(1), torch.ones(6))


@pytest.mark.parametrize("name", ["mixup_alpha", "cutmix_alpha"])
def test_a_picture_of_no_class_brings_no_share(name: str) -> None:
    given = batch(2)
    given["target"] = torch.tensor([3, -1])
    target = next(
        mixed
        for draw in itertools.count()
        if (mixed := mixing(**{name: 1.0})({**given, "draw": torch.tensor([draw])}, 0)["target"])[1].sum() > 0
    )
    assert (target >= 0).all()
    assert target[:, [0, 1, 2, 4]].sum() == 0
    torch.testing.assert_close(target.sum(), torch.tensor(1.0))  # lam in one row, 1 - lam in the other


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("name", ["mixup_alpha", "cutmix_alpha"])
def test_type_and_layout_are_kept(name: str, layout: torch.memory_format, dtype: torch.dtype) -> None:
    given = batch(dtype=dtype, memory_format=layout)
    image = mixing(**{name: 1.0})(given, 0)["image"]
    assert image.dtype == dtype
    assert image.is_contiguous(memory_format=layout)


def test_a_single_picture_stays_itself() -> None:
    given = batch(1)
    mixed = mixing(**BOTH)(given, 0)
    torch.testing.assert_close(mixed["image"], given["image"])
    torch.testing.assert_close(mixed["target"], class_rows(given["target"], CLASSES))


def test_nothing_to_mix_is_refused() -> None:
    with pytest.raises(InputError, match="mixing=none"):
        mixing()


def test_unknown_rows_are_zeros() -> None:
    expected: Tensor = torch.tensor([[0.0, 1, 0], [0, 0, 0], [1, 0, 0]])
    assert torch.equal(class_rows(torch.tensor([1, -1, 0]), 3), expected)


def test_the_last_epochs_see_pictures_as_they_are() -> None:
    mixes = mixing(mixup_alpha=0.5, off_epoch=3)
    assert mixes(batch(), 2)["target"].ndim == 2
    for epoch in (3, 4):
        given = batch()
        assert mixes(given, epoch) is given


@pytest.mark.parametrize(("epochs", "off"), [(20, 18), (10, 9), (5, 4), (1, 1)])
def test_auto_is_after_nine_tenths(epochs: int, off: int) -> None:
    request = compose("train", ["mixing=mixup", "mixing.off_epoch=auto", f"trainer.max_epochs={epochs}"])
    assert plan_for(request, 100, "cpu")["mixing"]["off_epoch"] == off
