"""Heads over feature maps, and the taps they stand on, against timm's and torch's own layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from timm.layers import SqueezeExcite
from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed
from timm.models.resnet import ResNet
from torch import Tensor, nn

import animeid
from animeid.assembly.model import build_head
from animeid.config.compose import compose
from animeid.errors import InputError
from animeid.models import heads
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.fusion import FusionHead
from animeid.models.heads.multi_stage import MultiStageHead
from animeid.models.heads.squeeze_excitation import SqueezeExcitationHead
from animeid.models.heads.transformer import TransformerHead, positions
from animeid.models.taps import evenly_spaced
from animeid.models.weights import load_classifier

SIZE = (60, 80)
CLASSES = 5
NETWORKS = ("test_resnet", "mobilenetv3_small_050", "test_vit", "test_convnext")
MAP_HEADS = ("squeeze_excitation", "fusion", "multi_stage", "transformer")


def backbone(name: str = "test_resnet") -> TimmBackbone:
    torch.manual_seed(0)
    return TimmBackbone(name, SIZE, pretrained=False)


def pictures(count: int = 2) -> Tensor:
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def classifier(name: str, head: str, *overrides: str) -> Classifier:
    card = compose("train", [f"head={head}", *overrides])["head"]
    body = backbone(name)
    return Classifier(body, build_head(card, body, CLASSES))


def hooked(network: TimmBackbone, names: list[str], image: Tensor) -> list[Tensor]:
    """What torch's own hooks see leave the named layers in a plain pass."""
    seen: dict[str, Tensor] = {}
    hooks = [
        network.net.get_submodule(name).register_forward_hook(
            lambda _layer, _inputs, output, name=name: seen.update({name: output.clone()})
        )
        for name in names
    ]
    network(image)
    for hook in hooks:
        hook.remove()
    return [seen[name] for name in names]


@pytest.mark.parametrize(
    ("taps", "stages", "expected"),
    [(3, 5, (1, 2, 3)), (3, 4, (0, 1, 2)), (3, 12, (2, 5, 8)), (1, 2, (0,)), (4, 5, (0, 1, 2, 3)), (2, 6, (1, 3))],
)
def test_taps_are_spread_evenly_before_the_last_stage(taps: int, stages: int, expected: tuple[int, ...]) -> None:
    assert evenly_spaced(taps, stages, "head") == expected


def test_more_taps_than_stages_are_refused() -> None:
    with pytest.raises(InputError, match=r"deep_supervision\.weights asks for 5 feature maps, and the network has 4"):
        evenly_spaced(5, 5, "deep_supervision.weights")


@torch.no_grad()
def test_maps_of_a_cnn_come_in_the_order_asked_for() -> None:
    network, image = backbone().eval(), pictures()
    expected = hooked(network, ["layer4", "layer1", "layer3"], image)
    maps, embedding = network.forward_taps(image, [-1, 1, 3, 1])
    for got, want in zip(maps, [*expected, expected[1]], strict=True):
        torch.testing.assert_close(got, want)
    torch.testing.assert_close(embedding, network(image))


@torch.no_grad()
def test_maps_of_a_transformer_are_its_tokens_in_their_places() -> None:
    network, image = backbone("test_vit").eval(), pictures()
    tokens = hooked(network, ["blocks.4", "blocks.1"], image)
    maps, _ = network.forward_taps(image, [4, 1])
    for got, want in zip(maps, tokens, strict=True):
        assert got.shape == (2, 64, 4, 5)
        for row in range(4):
            for column in range(5):
                torch.testing.assert_close(got[:, :, row, column], want[:, 1 + row * 5 + column])


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_channels_are_those_of_the_maps(name: str) -> None:
    network = backbone(name)
    stages = range(len(network.tap_channels))
    maps, _ = network.forward_taps(pictures(), list(stages))
    assert network.tap_channels == tuple(features.shape[1] for features in maps)


def test_measuring_channels_leaves_modes_and_statistics_as_they_are() -> None:
    network = backbone()
    network.net.bn1.eval()
    assert network.tap_channels
    assert not network.net.bn1.training
    assert network.net.layer1.training and network.training
    assert network.net.layer1[0].bn1.num_batches_tracked == 0


@pytest.mark.parametrize("stage", [5, -6])
def test_a_stage_that_is_not_there(stage: int) -> None:
    with pytest.raises(InputError, match=rf"test_resnet cannot be tapped at \[{stage}\]: its stages are 0 to 4"):
        backbone().forward_taps(pictures(), [stage])


@pytest.mark.parametrize("head", MAP_HEADS)
def test_a_network_that_timm_cannot_tap(monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    monkeypatch.delattr(ResNet, "forward_intermediates")
    with pytest.raises(InputError, match=r"timm cannot tap test_resnet .*head=linear") as error:
        classifier("test_resnet", head)
    assert "\n" not in str(error.value)
    assert classifier("test_resnet", "linear").eval()(pictures()).logits.shape == (2, CLASSES)


@torch.no_grad()
def test_squeeze_and_excitation_is_timms_block_before_the_pooling() -> None:
    model = classifier("test_resnet", "squeeze_excitation").eval()
    head = model.head
    assert isinstance(head, SqueezeExcitationHead)
    reference = SqueezeExcite(96, rd_channels=6)
    for own, timms in ((head.excitation[0], reference.fc1), (head.excitation[2], reference.fc2)):
        nn.init.normal_(own.bias)
        nn.init.normal_(own.weight)
        timms.weight.copy_(own.weight[:, :, None, None])
        timms.bias.copy_(own.bias)
    features = model.backbone.net.forward_features(pictures())
    pooled = reference(features).mean((2, 3))
    assert not torch.allclose(pooled, features.mean((2, 3)), rtol=0.1), "the block does nothing"

    output = model(pictures())

    torch.testing.assert_close(output.embedding, pooled)
    torch.testing.assert_close(output.logits, nn.functional.linear(pooled, head.linear.weight, head.linear.bias))


@torch.no_grad()
def test_fusion_adds_what_each_depth_shows() -> None:
    model = classifier("test_resnet", "fusion", "head.indices=[3,0]").eval()
    head, image = model.head, pictures()
    assert isinstance(head, FusionHead)
    late, early = hooked(model.backbone, ["layer3", "act1"], image)
    expected = model.backbone(image)
    for features, projection in ((late, head.projections[0]), (early, head.projections[1])):
        linear = projection[2]
        nn.init.normal_(linear.weight)
        for picture in range(2):
            mean = torch.stack([channel.mean() for channel in features[picture]])
            normal = (mean - mean.mean()) / (mean.var(correction=0) + 1e-5).sqrt()
            expected[picture] += linear.weight @ nn.functional.gelu(normal) + linear.bias
    torch.testing.assert_close(model(image).embedding, expected, rtol=1e-4, atol=1e-4)


def test_fusion_spreads_its_taps() -> None:
    head = classifier("test_resnet", "fusion").head
    assert head.taps == (1, 3)
    with pytest.raises(InputError, match=r"head\.indices must be a list of one or more stages or null"):
        classifier("test_resnet", "fusion", "head.indices=[]")
    with pytest.raises(InputError, match=r"head.indices: the network cannot be tapped at \[7\]"):
        classifier("test_resnet", "fusion", "head.indices=[1,7]")


@torch.no_grad()
def test_stages_stand_beside_the_embedding_each_of_one_length() -> None:
    model, image = classifier("test_resnet", "multi_stage", "head.indices=[3,0]").eval(), pictures()
    late, early = hooked(model.backbone, ["layer3", "act1"], image)
    parts = [model.backbone(image), late.mean((2, 3)), early.mean((2, 3))]
    total = sum(part.shape[1] for part in parts)
    for picture, got in enumerate(model(image).embedding):
        expected = [part[picture] / part[picture].square().sum().sqrt() for part in parts]
        torch.testing.assert_close(got, torch.cat(expected) * (total / 3) ** 0.5)
        assert float(got.square().mean()) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize(
    ("network", "taps"),
    [("test_resnet", (2, 3)), ("test_vit", (3, 4)), ("test_efficientnet", (3, 4)), ("mobilenetv3_small_050", (3, 4))],
)
def test_a_last_stage_as_long_as_the_embedding_is_not_beside_it(network: str, taps: tuple[int, ...]) -> None:
    head = build_head(compose("train", ["head=multi_stage"])["head"], backbone(network), CLASSES)
    assert head.taps == taps


@torch.no_grad()
def test_in_a_network_that_pools_it_the_last_map_is_the_embedding() -> None:
    maps, embedding = backbone().eval().forward_taps(pictures(), [-1])
    torch.testing.assert_close(maps[0].mean((2, 3)), embedding)


def test_stages_that_are_not_there_or_named_twice_are_refused() -> None:
    with pytest.raises(InputError, match="no stage beside its embedding: take head=linear"):
        MultiStageHead(64, CLASSES, (64,))
    with pytest.raises(InputError, match=r"names a stage twice, of \[3, 0, 3\]: name each once"):
        MultiStageHead(64, CLASSES, (8, 16, 32, 64), indices=(3, 0, -1))


@pytest.mark.parametrize(("height", "width"), [(2, 3), (4, 1), (5, 5)])
def test_positions_are_timms_for_any_size(height: int, width: int) -> None:
    sin_row, sin_column, cos_row, cos_column = build_sincos2d_pos_embed([height, width], 32).chunk(4, 1)
    expected = torch.cat([sin_row, cos_row, sin_column, cos_column], 1)
    torch.testing.assert_close(positions(height, width, 32, torch.device("cpu")), expected)


def torch_layer(block: nn.Module, width: int, heads: int) -> nn.TransformerEncoderLayer:
    """Torch's layer with the weights of timm's block."""
    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, activation="gelu", batch_first=True, norm_first=True, layer_norm_eps=block.norm1.eps
    )
    pairs = (
        (layer.norm1, block.norm1),
        (layer.norm2, block.norm2),
        (layer.linear1, block.mlp.fc1),
        (layer.linear2, block.mlp.fc2),
        (layer.self_attn.out_proj, block.attn.proj),
    )
    for own, timms in pairs:
        own.load_state_dict(timms.state_dict())
    layer.self_attn.in_proj_weight.copy_(block.attn.qkv.weight)
    layer.self_attn.in_proj_bias.copy_(block.attn.qkv.bias)
    return layer.eval()


@torch.no_grad()
def test_the_transformer_is_torchs_over_a_class_token_and_placed_tokens() -> None:
    width, heads = 32, 4
    torch.manual_seed(0)
    head = TransformerHead(12, CLASSES, (7, 9), width=width, depth=2, heads=heads).eval()
    embedding, features = torch.randn(3, 12), torch.randn(3, 9, 2, 3)
    places = torch.stack([features[:, :, row, column] for row in range(2) for column in range(3)], 1)
    places = head.map_projection(places) + positions(2, 3, width, torch.device("cpu"))
    tokens = torch.cat([head.class_projection(embedding)[:, None], places], 1)
    for block in head.blocks:
        tokens = torch_layer(block, width, heads)(tokens)
    expected = nn.functional.layer_norm(tokens[:, 0], (width,))
    torch.testing.assert_close(head.embed(embedding, [features]), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_transformer_knows_where_things_are() -> None:
    head = TransformerHead(12, CLASSES, (9,), width=32).eval()
    embedding, features = torch.randn(3, 12), torch.randn(3, 9, 2, 3)
    turned = features.flip(-1)
    assert not torch.allclose(head.embed(embedding, [features]), head.embed(embedding, [turned]), atol=1e-4)


@pytest.mark.parametrize("arguments", [{"width": 30, "heads": 2}, {"width": 32, "heads": 5}])
def test_a_width_that_cannot_be_split(arguments: dict[str, int]) -> None:
    with pytest.raises(InputError, match=f"head.width={arguments['width']} must be a multiple of 4 and of head.heads"):
        TransformerHead(12, CLASSES, (9,), **arguments)


@pytest.mark.parametrize("head", MAP_HEADS)
@pytest.mark.parametrize("network", NETWORKS)
def test_logits_are_the_heads_of_the_embedding_and_every_weight_takes_part(network: str, head: str) -> None:
    """Distributed training refuses weights without a gradient."""
    model = classifier(network, head).eval()
    output = model(pictures())
    assert output.logits.shape == (2, CLASSES)
    assert output.embedding.ndim == 2
    torch.testing.assert_close(model.head(output.embedding), output.logits)
    nn.functional.cross_entropy(model.train()(pictures()).logits, torch.arange(2)).backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []
    first = next(model.backbone.parameters()).grad
    assert first is not None
    assert first.abs().sum() > 0


@pytest.mark.parametrize("head", MAP_HEADS)
def test_half_precision_and_channels_last(head: str) -> None:
    model = classifier("test_resnet", head).eval()
    expected = model(pictures()).logits
    model = model.to(memory_format=torch.channels_last)
    image = pictures().to(memory_format=torch.channels_last)
    torch.testing.assert_close(model(image).logits, expected, rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model(image).logits
    torch.testing.assert_close(half.float(), expected, rtol=0.1, atol=0.1)


@torch.no_grad()
@pytest.mark.parametrize("head", MAP_HEADS)
def test_a_checkpoint_brings_the_head_back(head: str, tmp_path: Path) -> None:
    labels = [str(number) for number in range(CLASSES)]
    source, target = classifier("test_resnet", head).eval(), classifier("test_resnet", head).eval()
    for weight in source.parameters():
        weight += 0.01 * torch.randn_like(weight)
    state = {f"model.{name}": tensor for name, tensor in source.state_dict().items()}
    torch.save({"state_dict": state, "hyper_parameters": {"labels": labels}}, tmp_path / "best.ckpt")
    assert not torch.allclose(target(pictures()).logits, source(pictures()).logits)
    load_classifier(target, tmp_path / "best.ckpt", labels)
    torch.testing.assert_close(target(pictures()).logits, source(pictures()).logits)
    with pytest.raises(InputError, match="choose the model and head"):
        load_classifier(classifier("test_resnet", "linear"), tmp_path / "best.ckpt", labels)


def test_a_new_head_over_maps_is_one_file_and_one_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "heads").mkdir(parents=True)
    (tmp_path / "models" / "heads" / "sharpest.py").write_text(
        "from animeid.models.heads.cosine import CosineHead\n"
        "class SharpestHead(CosineHead):\n"
        "    taps = (0, -1)\n"
        "    def __init__(self, in_features, num_classes, tap_channels, *, gain: float = 1):\n"
        "        super().__init__(tap_channels[0] + tap_channels[-1], num_classes)\n"
        "        self.gain = gain\n"
        "    def embed(self, embedding, maps):\n"
        "        return self.gain * __import__('torch').cat([m.amax((2, 3)) for m in maps], 1)\n"
    )
    monkeypatch.setattr(heads, "__path__", [*heads.__path__, str(tmp_path / "models" / "heads")])
    monkeypatch.setattr(animeid.__spec__, "submodule_search_locations", [*animeid.__path__, str(tmp_path)])
    card: dict[str, Any] = {"_target_": "animeid.models.heads.sharpest.SharpestHead", "_partial_": True, "gain": 2.0}
    body = backbone()
    output = Classifier(body, build_head(card, body, CLASSES)).eval()(pictures())
    assert output.embedding.shape == (2, 32 + 96)
    assert output.logits.shape == (2, CLASSES)
    with pytest.raises(InputError, match=r"head\.gain must be a number"):
        build_head({**card, "gain": "much"}, body, CLASSES)
