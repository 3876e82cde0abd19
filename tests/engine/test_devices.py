"""Choices of `auto` on each device."""

from __future__ import annotations

import pytest
import timm
import torch

from animeid.config import gateway
from animeid.engine import devices
from animeid.engine.devices import DTYPES, choose_accelerator, choose_precision, name_of
from animeid.errors import InputError
from animeid.models.network import has_depthwise


@pytest.mark.parametrize(
    ("name", "expected"),
    [("resnet10t", False), ("vit_tiny_patch16_224", False), ("mobilenetv2_100", True), ("convnext_atto", True)],
)
def test_depthwise_convolutions_are_found(name: str, expected: bool) -> None:
    assert has_depthwise(timm.create_model(name)) is expected


@pytest.mark.parametrize(
    ("has_bf16", "depthwise", "expected"),
    [(True, False, "bf16-mixed"), (True, True, "32-true"), (False, False, "32-true")],
)
def test_precision_on_the_processor(monkeypatch, has_bf16: bool, depthwise: bool, expected: str) -> None:
    monkeypatch.setattr(devices, "cpu_has_bf16", lambda: has_bf16)
    assert choose_precision("cpu", depthwise) == expected


@pytest.mark.parametrize(("has_bf16", "expected"), [(True, "bf16-mixed"), (False, "16-mixed")])
def test_precision_on_cuda(monkeypatch, has_bf16: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_bf16)
    assert choose_precision("cuda", True) == expected


def test_mps_computes_in_full_precision_unless_asked() -> None:
    assert choose_precision("mps", False) == "32-true"


def test_a_named_accelerator_must_be_there(monkeypatch) -> None:
    monkeypatch.setitem(devices.AVAILABLE, "cuda", lambda: False)
    monkeypatch.setitem(devices.AVAILABLE, "mps", lambda: True)
    assert choose_accelerator("auto") == "mps"
    with pytest.raises(InputError, match=r"trainer\.accelerator=gpu was asked for"):
        choose_accelerator("gpu")


@pytest.mark.parametrize("accelerator", sorted(devices.AVAILABLE))
@pytest.mark.parametrize("precision", sorted(devices.DTYPES))
def test_a_plans_trainer_card_is_a_card(accelerator: str, precision: str) -> None:
    """What was chosen for `auto` takes the place of it in the plan, from which the trainer is built."""
    card = {"_target_": "animeid.engine.settings.TrainerSettings", "accelerator": accelerator, "precision": precision}
    assert gateway.build(card, "trainer").accelerator == accelerator


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_a_precision_has_one_name_everywhere(precision: str) -> None:
    assert name_of(DTYPES[precision]) == precision
