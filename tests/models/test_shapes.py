"""Networks that are narrower than timm builds them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.shapes import narrow, smaller


def layers() -> nn.ModuleDict:
    return nn.ModuleDict(
        {
            "plain": nn.Conv2d(4, 6, 3),
            "depthwise": nn.Conv2d(6, 6, 3, groups=6),
            "multiplied": nn.Conv2d(6, 12, 3, groups=6),
            "grouped": nn.Conv2d(8, 8, 3, groups=2),
            "norm": nn.BatchNorm2d(6),
            "layer_norm": nn.LayerNorm(6),
            "linear": nn.Linear(6, 3),
        }
    )


CUT = {
    "plain.weight": (3, 2, 3, 3),
    "plain.bias": (3,),
    "depthwise.weight": (3, 1, 3, 3),
    "depthwise.bias": (3,),
    "multiplied.weight": (6, 1, 3, 3),
    "multiplied.bias": (6,),
    "grouped.weight": (4, 2, 3, 3),
    "grouped.bias": (4,),
    "norm.weight": (3,),
    "norm.bias": (3,),
    "norm.running_mean": (3,),
    "norm.running_var": (3,),
    "layer_norm.weight": (3,),
    "layer_norm.bias": (3,),
    "linear.weight": (3, 4),
}


def test_layers_are_told_what_they_have_become() -> None:
    net = layers()
    first = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    narrow(net, CUT)
    assert {name: tuple(shape) for name, shape in smaller(net, first).items()} == CUT
    assert net["depthwise"].groups == 3
    assert net["multiplied"].groups == 3
    assert (net["grouped"].groups, net["grouped"].in_channels) == (2, 4)
    answered = {
        "plain": (1, 2, 5, 5),
        "depthwise": (1, 3, 5, 5),
        "multiplied": (1, 3, 5, 5),
        "grouped": (1, 4, 5, 5),
        "norm": (2, 3, 5, 5),
        "layer_norm": (2, 3),
        "linear": (2, 4),
    }
    for name, shape in answered.items():
        assert len(net[name](torch.ones(shape))) == shape[0]
    assert torch.equal(net["plain"].weight, first["plain.weight"][:3, :2])
    assert isinstance(net["plain"].weight, nn.Parameter)
    assert "running_mean" in dict(net["norm"].named_buffers())


@pytest.mark.parametrize(
    ("name", "shape"),
    [("absent.weight", (1,)), ("linear.weight", (3,)), ("linear.weight", (9, 6)), ("norm.bias", (0,))],
)
def test_shapes_that_are_none_of_the_network_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=rf"model.shapes says that {name} is .*, which no tensor"):
        narrow(layers(), {name: shape})


def test_a_backbone_with_shapes_begins_from_random_weights() -> None:
    again = TimmBackbone("test_resnet", (32, 32), shapes={"layer1.0.bn1.weight": [32]})  # as it is
    assert again.weights_source == "random"
