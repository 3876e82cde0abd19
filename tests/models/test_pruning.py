"""Channels that are taken out: the network answers, is smaller, and can be built again from its shapes."""

from __future__ import annotations

import math
import sys

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.pruning import ChannelPruning, left_of

FAMILIES = ("test_resnet", "test_efficientnet", "test_convnext", "mobilenetv2_100", "tf_efficientnet_lite0", "resnet18")


def backbone(name: str, side: int = 64) -> TimmBackbone:
    torch.manual_seed(0)
    return TimmBackbone(name, (side, side), pretrained=False)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def operations(found: TimmBackbone) -> int:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        found.eval()(torch.zeros(1, 3, *found.image_size))
    return counter.get_total_flops()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_pruned_network_is_smaller_and_is_built_again_from_its_shapes(name: str) -> None:
    found, whole = backbone(name), backbone(name)
    ChannelPruning(ratio=0.3).apply(found)
    assert parameters(found) < 0.8 * parameters(whole)
    assert operations(found) < 0.9 * operations(whole)
    again = TimmBackbone(name, (64, 64), pretrained=False, shapes=found.shapes)
    again.load_state_dict(found.state_dict())
    picture = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = found.eval()(picture)
        assert expected.shape == (2, whole.num_features)
        torch.testing.assert_close(again.eval()(picture), expected, rtol=0, atol=0)
    assert again.tap_channels == found.tap_channels
    assert all(given <= own for given, own in zip(found.tap_channels, whole.tap_channels, strict=True))
    sizes = {name: len(tensor) for name, tensor in whole.net.named_parameters()}
    assert all(len(tensor) % 8 == 0 or len(tensor) == sizes[name] for name, tensor in found.net.named_parameters())


def test_the_channels_without_weight_go_and_the_others_keep_theirs() -> None:
    """In a block of MobileNetV2 the expansion, the depthwise convolution and the projection's inputs are one group."""
    found = backbone("mobilenetv2_100")
    block = found.net.blocks[2][1]
    gone = torch.arange(0, 192, 6)
    kept = [place for place in range(192) if place not in set(gone.tolist())]
    with torch.no_grad():
        for tensor in (block.conv_pw.weight, block.bn1.weight, block.conv_dw.weight, block.bn2.weight):
            tensor[gone] *= 1e-3
        block.conv_pwl.weight[:, gone] *= 1e-3
    before, depthwise = block.conv_pw.weight.detach().clone(), block.conv_dw.weight.detach().clone()
    ChannelPruning(ratio=0.2).apply(found)  # which leaves 153.6 of 192, and 160 are the next multiple of 8
    assert torch.equal(block.conv_dw.weight, depthwise[kept])
    left = block.conv_pw.weight.detach()
    assert len(left) == len(kept) == 160
    assert all(torch.isin(one, before[place]).all() for one, place in zip(left, kept, strict=True))


def test_gradients_modes_and_what_is_frozen_stay_as_they_were() -> None:
    found = backbone("test_resnet").train()
    frozen = {name for name, _ in found.named_parameters() if name.endswith("bias")}
    for name, parameter in found.named_parameters():
        parameter.requires_grad_(name not in frozen)
    modes = {name: module.training for name, module in found.named_modules()}
    ChannelPruning(ratio=0.3).apply(found)
    assert {name for name, parameter in found.named_parameters() if not parameter.requires_grad} == frozen
    assert {name: module.training for name, module in found.named_modules()} == modes
    assert all(parameter.grad is None for parameter in found.parameters())


def test_a_pruned_network_can_be_pruned_again() -> None:
    found = backbone("test_resnet")
    ChannelPruning(ratio=0.3).apply(found)
    once = parameters(found)
    ChannelPruning(ratio=0.3).apply(found)
    assert parameters(found) < once
    again = TimmBackbone("test_resnet", (64, 64), pretrained=False, shapes=found.shapes)
    again.load_state_dict(found.state_dict())


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.5, 0.9])
def test_at_most_the_wanted_share_goes_and_a_multiple_of_eight_is_left(ratio: float) -> None:
    for channels in range(1, 2000):
        left = left_of(channels, ratio)
        assert channels >= left >= math.floor(channels * (1 - ratio))
        assert left == channels or left % 8 == 0
        assert left - channels * (1 - ratio) < 8


def test_a_network_that_the_library_does_not_understand_is_named() -> None:
    with pytest.raises(InputError, match=r"torch-pruning does not understand test_vit \(.*: prune a network of conv"):
        ChannelPruning(ratio=0.3).apply(backbone("test_vit"))


def test_a_ratio_that_takes_nothing_is_named() -> None:
    with pytest.raises(InputError, match=r"prune.ratio=0.01 takes no channel out of test_resnet"):
        ChannelPruning(ratio=0.01).apply(backbone("test_resnet"))


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(InputError, match=r"prune=channels needs torch-pruning, .*animeid\[prune\]"):
        ChannelPruning(ratio=0.3).apply(backbone("test_resnet"))
