"""Training transforms: sizes, seeds, named operations, cards."""

from __future__ import annotations

import itertools
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pytest
import yaml

from animeid.config.gateway import build
from animeid.data.augment import Augmentation
from animeid.data.torch_resize import resize
from animeid.errors import InputError
from animeid.imaging.evaluation import EvalTransform

CARDS = Path(__file__).resolve().parents[2] / "conf" / "augment"
NAMES = ("none", "basic", "light", "strong", "style", "augmix")


def card(name: str) -> dict:
    """The card with the one that it builds on, as Hydra composes it."""
    node = yaml.safe_load((CARDS / f"{name}.yaml").read_text())
    for base in [base for base in node.pop("defaults", []) if base != "_self_"]:
        below = card(base)
        node = below | node | {"ops": below["ops"] | node["ops"]}
    return node


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth coloured picture without symmetry."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("source", [(300, 200), (60, 80), (1, 1), (2, 500)])
def test_every_card_gives_the_asked_size(name: str, source: tuple[int, int]) -> None:
    augmentation = build(card(name), "augment", image_size=(60, 80))
    for seed in range(8):
        result = augmentation(picture(*source), seed)
        assert result.shape == (60, 80, 3)
        assert result.dtype == np.uint8
        assert result.flags.c_contiguous


@pytest.mark.parametrize("name", ["basic", "strong", "style", "augmix"])
def test_a_seed_decides_everything(name: str) -> None:
    augmentation = build(card(name), "augment", image_size=(48, 48))
    again = build(card(name), "augment", image_size=(48, 48))
    image = picture(90, 70)
    backwards = {seed: augmentation(image, seed) for seed in reversed(range(20))}
    for seed in range(20):
        assert np.array_equal(backwards[seed], again(image, seed))
    assert len({result.tobytes() for result in backwards.values()}) == 20


def test_operations_of_equal_probability_are_independent() -> None:
    """Seeded one by one with the same number, they would be applied together or not at all."""
    ops = {"flip": A.HorizontalFlip(p=0.5), "upside_down": A.VerticalFlip(p=0.5)}
    augmentation = Augmentation(ops, image_size=(8, 8))
    image = picture(8, 8)
    results = [augmentation(image, seed).tobytes() for seed in range(400)]
    expected = [image[:: 1 - 2 * v, :: 1 - 2 * h].tobytes() for v, h in itertools.product((0, 1), repeat=2)]
    counts = [results.count(result) for result in expected]
    assert sum(counts) == 400
    assert min(counts) > 60


def test_none_changes_nothing_but_the_size() -> None:
    augmentation = build(card("none"), "augment", image_size=(60, 80))
    image = picture(60, 80)
    assert np.array_equal(augmentation(image, 3), image)


def test_without_a_crop_training_resizes_as_evaluation_does_with_the_fast_kernel() -> None:
    augmentation = build(card("none"), "augment", image_size=(60, 80))
    image = picture(150, 200)
    assert np.array_equal(augmentation(image, 3), resize(image, (60, 80)))
    evaluated = EvalTransform((60, 80), crop_pct=1.0)(image)
    assert np.abs(augmentation(image, 3).astype(int) - evaluated).max() <= 2


def test_a_named_operation_can_be_changed() -> None:
    node = card("light")
    for name in node["ops"]:
        node["ops"][name]["p"] = 0.0
    node["ops"]["flip"]["p"] = 1.0
    image = picture(32, 32)
    assert np.array_equal(build(node, "augment", image_size=(32, 32))(image, 0), image[:, ::-1])


def test_basic_stays_within_the_issue() -> None:
    ops = card("basic")["ops"]
    assert ops["rotate"]["limit"] == 15
    assert ops["colour"]["brightness"] == ops["colour"]["contrast"] == ops["colour"]["saturation"] == [0.7, 1.3]
    assert ops.keys() < card("strong")["ops"].keys()


def test_crops_keep_the_aspect_of_the_output() -> None:
    """A ratio of 1 around an output of 1:2 must not squeeze: a circle stays one."""
    augmentation = Augmentation({}, image_size=(40, 80), crop_scale=(0.9, 0.9), crop_ratio=(1.0, 1.0 + 1e-9))
    circle = cv2.circle(np.zeros((200, 400, 3), np.uint8), (200, 100), 50, (255, 255, 255), -1)
    inside = augmentation(circle, 0)[..., 0] > 127
    height, width = inside.any(1).sum(), inside.any(0).sum()
    assert abs(int(height) - int(width)) <= 1


def test_unknown_arguments_are_refused_by_name() -> None:
    node = card("none") | {"ops": {"holes": {"_target_": "albumentations.CoarseDropout", "max_holes": 3}}}
    with pytest.raises(InputError, match=r"augment\.ops\.holes.*max_holes"):
        build(node, "augment", image_size=(8, 8))
    with pytest.warns(UserWarning, match="not valid"):
        holes = A.CoarseDropout(max_holes=3)
    with pytest.raises(InputError, match=r"augment\.ops\.holes.*max_holes.*num_holes_range"):
        Augmentation({"holes": holes}, image_size=(8, 8))
    with pytest.raises(InputError, match=r"augment\.ops\.one\.transforms\[1\].*max_holes"):
        Augmentation({"one": A.OneOf([A.HorizontalFlip(), holes])}, image_size=(8, 8))


def test_impossible_crops_are_refused() -> None:
    with pytest.raises(InputError, match=r"augment\.crop_scale"):
        Augmentation({}, image_size=(8, 8), crop_scale=(0.9, 0.2))
