"""Nodes become objects."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from animeid.config.gateway import build, try_transforms
from animeid.data.synthetic.settings import CastSettings
from animeid.engine.settings import CallbackSettings, TrainerSettings
from animeid.errors import InputError

CAST = "animeid.data.synthetic.settings.CastSettings"
DATA = "animeid.data.settings.DataSettings"
TRAINER = "animeid.engine.settings.TrainerSettings"
CALLBACKS = "animeid.engine.settings.CallbackSettings"


def test_values_and_containers_come_back_plain() -> None:
    node = {"a": [1, {"b": None}], "c": "x"}
    built = build(node)
    assert built == node
    assert type(built["a"]) is list
    assert type(built["a"][1]) is dict


def test_a_node_becomes_its_object_and_a_partial_waits_for_facts() -> None:
    assert build({"_target_": TRAINER, "max_epochs": 3}) == TrainerSettings(max_epochs=3)
    waiting = build({"_target_": CALLBACKS, "_partial_": True, "patience": 2})
    assert isinstance(waiting, partial)
    assert waiting(min_delta=0.5) == CallbackSettings(patience=2, min_delta=0.5)


def test_nested_settings_arrive_as_the_real_dataclass_and_lists_as_tuples() -> None:
    built = build({"_target_": DATA, "cast": {"_target_": CAST, "characters": 4}, "image_size": [60, 80]})
    assert type(built.cast) is CastSettings
    assert built.cast.characters == 4
    assert built.image_size == (60, 80)
    assert type(built.image_size) is tuple


def test_facts_arrive_as_the_very_objects_that_the_run_has() -> None:
    """Instantiating with them would turn dataclasses into configuration containers."""
    np = pytest.importorskip("numpy")
    rows, targets = np.arange(4), np.array([0, 0, 1, 1])
    sampler = build(
        {"_target_": "animeid.data.samplers.weighted.Weighted", "_partial_": True, "power": 1.0},
        rows=rows,
        targets=targets,
        num_classes=2,
    )
    assert sampler.prior().tolist() == [0.5, 0.5]


def test_a_card_cannot_set_what_the_run_gives() -> None:
    node = {"_target_": "animeid.models.heads.linear.LinearHead", "_partial_": True, "in_features": 3}
    with pytest.raises(InputError, match=r"^head.in_features is given by the run"):
        build(node, "head", in_features=4, num_classes=2)


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"_target_": "subprocess.run", "args": "ls"}, "a card can name only"),
        ({"_target_": TRAINER, "max_epochs": "abc"}, "trainer.max_epochs must be"),
        ({"_target_": TRAINER, "max_epoch": 3}, "did you mean 'max_epochs'"),
    ],
)
def test_nothing_is_built_unchecked(node: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        build(node, "trainer")


@pytest.mark.parametrize(
    ("op", "sentence"),
    [
        (
            {"_target_": "albumentations.HorizontalFlip", "p": 2},
            "augment.flip: albumentations.HorizontalFlip refuses .*p: ",
        ),
        ({"_target_": "albumentations.CoarseDropout", "max_holes": 3}, "augment.flip has no key 'max_holes'"),
        ({"_target_": "albumentations.Rotate", "limit": 10, "border_mode": 77}, "albumentations.Rotate refuses"),
    ],
)
def test_transforms_are_tried_before_data_is_touched(op: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        try_transforms({"augment": {"flip": op}})


def test_a_warning_about_an_unknown_argument_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """albumentations warns and ignores the value; where its signature is open, only the warning tells."""
    from animeid.config import gateway

    monkeypatch.setattr(gateway, "accept", lambda target, values, key, is_partial: dict(values))
    with pytest.raises(InputError, match="max_holes"):
        build({"_target_": "albumentations.CoarseDropout", "max_holes": 3}, "augment.holes")
