"""Strength of augmentation by the size of a class."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.class_wise import ClassWise, strong_shares
from tests.small_runs import Painted


def class_wise(counts: list[int], shares: tuple[float, float] = (0.0, 1.0)) -> ClassWise:
    made = ClassWise(partial(Painted, 0), partial(Painted, 1), image_size=(2, 2), shares=shares)
    made.look_at(np.array(counts))
    return made


def test_shares_fall_with_the_logarithm_of_the_size() -> None:
    np.testing.assert_allclose(strong_shares(np.array([1000, 100, 10, 1]), (0.0, 1.0)), [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(strong_shares(np.array([1, 100]), (0.8, 0.2)), [0.2, 0.8])
    np.testing.assert_allclose(strong_shares(np.array([7, 7]), (0.0, 1.0)), [0.5, 0.5])
    np.testing.assert_allclose(strong_shares(np.array([0, 1, 100]), (0.0, 1.0)), [1, 1, 0])


@pytest.mark.parametrize(("target", "share"), [(0, 0.1), (1, 0.5), (2, 0.9), (-1, 0.1)])
def test_so_many_pictures_of_a_class_are_changed_strongly(target: int, share: float) -> None:
    transform = class_wise([100, 10, 1], (0.1, 0.9))
    image = np.zeros((2, 2, 3), np.uint8)
    strong = np.mean([transform(image, seed, target)[0, 0, 0] for seed in range(4000)])
    assert strong == pytest.approx(share, abs=0.03)


def test_the_same_draw_is_changed_alike() -> None:
    transform = class_wise([10, 1], (0.5, 0.5))
    image = np.zeros((2, 2, 3), np.uint8)
    first, second = ([int(transform(image, seed, 0)[0, 0, 0]) for seed in range(50)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 2


def test_the_card_has_both_transforms_of_the_other_cards() -> None:
    card = compose("train", ["recipe=none", "augment=class_wise", "augment.strong.ops.erasing.p=1.0"])["augment"]
    transform = gateway.build(card, "augment", image_size=(32, 32))
    transform.look_at(np.array([50, 2]))
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    light = gateway.build(compose("train", ["recipe=none", "augment=light"])["augment"], "augment", image_size=(32, 32))
    assert np.array_equal(transform(image, 5, 0), light(image, 5))
    assert not np.array_equal(transform(image, 5, 1), light(image, 5))
