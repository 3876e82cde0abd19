"""The adapter against timm's own networks, which are the independent reference."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import timm
import torch
from timm.models import get_pretrained_cfg
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.linear import LinearHead

FAMILIES = ("mobilenetv3_small_050", "resnet18", "efficientnet_b0", "test_vit", "test_convnext")
CLASSES = 7


def backbone(name: str, height: int = 64, width: int = 64, **arguments: Any) -> TimmBackbone:
    return TimmBackbone(name, (height, width), **{"pretrained": False} | arguments)


def pictures(height: int = 64, width: int = 64, count: int = 4) -> Tensor:
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def warmed(net: nn.Module) -> nn.Module:
    """With batch statistics of real magnitudes: with fresh ones some networks' logits are about 1e-11."""
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None
    net.train()
    for _ in range(3):
        net(pictures(count=16))
    return net.eval()


@torch.no_grad()
@pytest.mark.parametrize("name", FAMILIES)
def test_backbone_and_linear_head_equal_timms_classifier(name: str) -> None:
    size = {"img_size": (64, 64)} if "vit" in name else {}
    reference = warmed(timm.create_model(name, num_classes=CLASSES, **size))
    ours = backbone(name)
    theirs = reference.get_classifier()
    head = LinearHead(ours.num_features, CLASSES)
    head.linear.load_state_dict(theirs.state_dict())
    own_names = ours.net.state_dict().keys()
    ours.net.load_state_dict({key: value for key, value in reference.state_dict().items() if key in own_names})
    model = Classifier(ours, head).eval()

    output, expected = model(pictures()), reference(pictures())

    assert output.logits.shape == (4, CLASSES)
    assert expected.std() > 1e-3, "the comparison says nothing about vanishing logits"
    torch.testing.assert_close(output.logits, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
    torch.testing.assert_close(head(output.embedding), output.logits)
    assert output.aux_logits == []
    assert output.attributes is None


@torch.no_grad()
@pytest.mark.parametrize("name", [*FAMILIES, "mobilenetv2_100", "resnet10t", "test_resnet"])
@pytest.mark.parametrize(("height", "width"), [(60, 80), (96, 33)])
def test_any_size_of_pictures(name: str, height: int, width: int) -> None:
    model = backbone(name, height, width).eval()
    embedding = model(pictures(height, width, 2))
    assert embedding.shape == (2, model.num_features)
    assert embedding.isfinite().all()


@torch.no_grad()
def test_a_transformer_sees_the_edges_that_fill_no_patch() -> None:
    model = backbone("test_vit", 60, 80).eval()
    image = pictures(60, 80, 1)
    changed = image.clone()
    changed[..., -4:, :] += 1
    assert not torch.allclose(model(image), model(changed))


@pytest.mark.parametrize("name", FAMILIES)
def test_normalisation_is_timms(name: str) -> None:
    config = get_pretrained_cfg(name)
    model = backbone(name)
    assert config is not None
    assert (model.mean, model.std) == (config.mean, config.std)
    assert len(model.mean) == 3


@torch.no_grad()
@pytest.mark.parametrize("name", FAMILIES)
def test_taps_are_stages_and_leave_the_embedding_as_it_is(name: str) -> None:
    model = backbone(name, 64, 96)
    warmed(model.net) if "vit" not in name else model.eval()
    image = pictures(64, 96, 2)
    taps, embedding = model.forward_taps(image, [1, -1])
    torch.testing.assert_close(embedding, model(image))
    assert [tap.ndim for tap in taps] == [4, 4]
    for tap, index in zip(taps, (1, -1), strict=True):
        info = model.net.feature_info[index]
        assert tap.shape == (2, info["num_chs"], 64 // info["reduction"], 96 // info["reduction"])


def test_a_tap_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"resnet18 cannot be tapped at \[9\]"):
        backbone("resnet18").forward_taps(pictures(), [9])


def test_gradients_reach_the_first_layer() -> None:
    model = Classifier(backbone("resnet18"), LinearHead(512, CLASSES))
    nn.functional.cross_entropy(model(pictures()).logits, torch.arange(4)).backward()
    first = next(model.backbone.parameters())
    assert first.grad is not None
    assert first.grad.abs().sum() > 0


def test_measuring_leaves_no_trace() -> None:
    """A network is handed over in training mode, with untouched batch statistics."""
    net = backbone("resnet18").net
    assert net.training
    assert net.bn1.num_batches_tracked == 0
    assert net.bn1.running_mean.abs().sum() == 0


def test_one_seed_one_network() -> None:
    def first(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return copy.deepcopy(next(backbone("test_resnet").parameters()))

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


@pytest.mark.parametrize(("name", "expected"), [*((n, n != "test_vit") for n in FAMILIES)])
def test_channels_last_is_for_convolutions(name: str, expected: bool) -> None:
    assert backbone(name).prefers_channels_last is expected


def test_stochastic_depth_drops_branches_in_training() -> None:
    dropped = [
        m.drop_prob for m in backbone("test_vit", drop_path_rate=0.5).modules() if type(m).__name__ == "DropPath"
    ]
    assert max(dropped) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet5O"}, "resnet5O is no model of timm.*did you mean resnet50"),
        ({"name": "resnet18.a9_in1k"}, "does not publish.*resnet18.a1_in1k"),
        ({"name": "qqqqqq"}, "qqqqqq is no model of timm [0-9.]+: choose"),
        ({"name": "vgg11", "drop_path_rate": 0.1}, "vgg11, which has no residual branches"),
        ({"name": "resnet18", "weights": "x.pth", "pretrained": True}, "leave one out"),
        ({"name": "maxvit_pico_rw_256", "height": 60, "width": 80}, "cannot take pictures of 60 x 80 .* 256 x 256"),
    ],
)
def test_refusals(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        backbone(**arguments)
    assert "\n" not in str(error.value)
