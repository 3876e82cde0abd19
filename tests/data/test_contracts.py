"""What every augmentation and sampler must be. The cards are found, not listed."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch

from animeid.config import gateway
from animeid.config.compose import compose
from animeid.config.locate import conf_dir, groups
from animeid.data.augmentation import Augmentation, FollowsConfidence, as_augmentation
from animeid.data.samplers.contract import ChoosesByStyle, VariesByEpoch, begins_at, choice_of, learns
from animeid.data.samplers.views import RepeatedViews
from animeid.data.samplers.wrapped import WrappedSampler

CARDS = groups(conf_dir())
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
ROWS = np.arange(3, 33)
TARGETS = np.array([0] * 20 + [1] * 8 + [-1] * 2)
EPOCHS = 4


def augmentation(card: str) -> Augmentation:
    node = compose("train", ["recipe=none", f"augment={card}"])["augment"]
    made = as_augmentation(gateway.build(node, "augment", image_size=(32, 32)))
    made.look_at(np.array([20, 8]))
    return made


@pytest.mark.parametrize("card", CARDS["augment"])
def test_an_augmentation_is_one_and_goes_on_as_it_was(card: str) -> None:
    made, other = augmentation(card), augmentation(card)
    assert isinstance(made, Augmentation)
    if isinstance(made, FollowsConfidence):
        made.follow(torch.tensor([0.9, 0.8]), torch.tensor([0.5, 0.2]))
    other.load_state_dict(made.state_dict())
    sent = pickle.loads(pickle.dumps(made))  # as loader workers get it
    for seed in range(20):
        changed = made(IMAGE, seed, seed % 2)
        assert changed.shape == (32, 32, 3)
        assert np.array_equal(changed, other(IMAGE, seed, seed % 2))
        assert np.array_equal(changed, sent(IMAGE, seed, seed % 2))
    made.load_state_dict({})  # of a version before


class Watching:
    """A transform of somebody's own that follows confidence, and has nothing else of the contract."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def __call__(self, image: np.ndarray, seed: int, target: int) -> np.ndarray:
        return image[:32, :32] + seed + target

    def follow(self, fitted: torch.Tensor, held_out: torch.Tensor) -> None:
        self.told.append(float(fitted.mean() - held_out.mean()))


def test_a_transform_of_ones_own_is_taken() -> None:
    watching = Watching()
    made = as_augmentation(watching)
    assert isinstance(made, FollowsConfidence)
    made.follow(torch.ones(2), torch.zeros(2))
    assert watching.told == [1.0]
    assert np.array_equal(made(IMAGE, 1, 2), IMAGE[:32, :32] + 3)
    assert made.state_dict() == {}
    assert not isinstance(as_augmentation(lambda image, seed, target: image), FollowsConfidence)


def sampler(card: str) -> Any:
    node = compose("train", ["recipe=none", f"sampler={card}"])["sampler"]
    if "epochs" in node:
        node = {**node, "epochs": EPOCHS}
    return gateway.build(node, "sampler")(rows=ROWS, targets=TARGETS, num_classes=2)


@pytest.mark.parametrize("card", CARDS["sampler"])
def test_a_sampler_keeps_its_traits_where_it_is_wrapped(card: str) -> None:
    found = sampler(card)
    wrapped = RepeatedViews(found, 2)
    assert isinstance(wrapped, VariesByEpoch) == isinstance(found, VariesByEpoch)
    assert (learns(wrapped), begins_at(wrapped)) == (learns(found), begins_at(found))
    assert 0 <= begins_at(found) < EPOCHS
    if isinstance(found, VariesByEpoch):
        for epoch in range(EPOCHS):
            assert found.prior_of(epoch).sum() == pytest.approx(1)
            assert np.array_equal(wrapped.prior_of(epoch), found.prior_of(epoch))


@pytest.mark.parametrize("card", CARDS["sampler"])
def test_a_sampler_chooses_what_it_says(card: str) -> None:
    """Nothing is every picture once; only pictures are chosen by what a run learns, or by their styles."""
    found = sampler(card)
    once = all(np.array_equal(np.sort(found.stream(0, epoch)), ROWS) for epoch in range(EPOCHS))
    assert (choice_of(found) == "nothing") == once
    assert (choice_of(found) == "pictures") == (learns(found) or isinstance(found, ChoosesByStyle))


class Own:
    """A sampler of somebody's own: the contract, and two of the options."""

    learns = True

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        return ROWS

    def prior(self) -> np.ndarray:
        return np.array([0.5, 0.5])

    def prior_of(self, epoch: int) -> np.ndarray:
        return np.array([epoch, 1 - epoch], float)

    def observe(self, rows: torch.Tensor, values: torch.Tensor) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Any) -> None: ...


def test_a_sampler_of_ones_own_is_taken() -> None:
    found = WrappedSampler(Own())
    assert learns(found)
    assert isinstance(found, VariesByEpoch)
    assert found.prior_of(1).tolist() == [1, 0]
    assert begins_at(found) == 0
    assert choice_of(Own()) == "pictures", "what nobody tells must not be read shard by shard"
