"""Heads and embeddings under autocast, against the same arithmetic in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from animeid.assembly.model import build_head
from animeid.config.compose import compose
from animeid.engine.inference import output_of
from animeid.engine.views import Views
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.deep_supervision import AuxiliaryClassifiers
from animeid.models.inference import InferenceModel

CLASSES, PICTURES, SIDE = 5000, 256, 64
HEADS = ("linear", "cosine", "arcface", "squeeze_excitation", "fusion", "multi_stage", "transformer")


def classifier(head: str = "linear", classes: int = CLASSES) -> Classifier:
    torch.manual_seed(0)
    backbone = TimmBackbone("test_resnet", (SIDE, SIDE), pretrained=False)
    return Classifier(backbone, build_head(compose("train", [f"head={head}"])["head"], backbone, classes)).eval()


def pictures(number: int = PICTURES) -> Tensor:
    """Noise in colours of its own each, so that an untrained network tells them apart."""
    random = torch.Generator().manual_seed(1)
    coarse = torch.randint(0, 256, (number, 3, 4, 4), generator=random).repeat_interleave(SIDE // 4, 2)
    return coarse.repeat_interleave(SIDE // 4, 3).byte()


def tied(logits: Tensor) -> float:
    """The share of rows whose two highest logits are the same number."""
    top = logits.float().topk(2, dim=1).values
    return (top[:, 0] == top[:, 1]).double().mean().item()


@torch.inference_mode()
def test_the_two_highest_of_thousands_of_logits_differ() -> None:
    """The last feature map is bf16; its mean and what comes after are computed as numpy does in double precision."""
    model = classifier()
    linear = model.head.linear
    # As after training, when logits are of what tells pictures apart and not of what they have in common.
    common = output_of(InferenceModel.of(model), pictures(), torch.float32).embedding.mean(0)
    linear.bias.copy_(-(linear.weight @ common))  # type: ignore[union-attr, operator]
    seen: list[Tensor] = []
    original = model.backbone.net.forward_features
    model.backbone.net.forward_features = lambda image: seen.append(original(image)) or seen[-1]  # type: ignore[func-returns-value]
    answer = output_of(InferenceModel.of(model), pictures(), torch.bfloat16)
    (features,) = seen
    assert features.dtype == torch.bfloat16, "the backbone is not what is kept from autocast"

    embedding = features.float().numpy().astype(np.float64).mean(axis=(2, 3))
    weight, bias = (p.detach().numpy().astype(np.float64) for p in (linear.weight, linear.bias))  # type: ignore[union-attr, operator]
    expected = embedding @ weight.T + bias
    assert answer.embedding.dtype == answer.logits.dtype == torch.float32
    np.testing.assert_allclose(answer.embedding.numpy(), embedding, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answer.logits.numpy(), expected, rtol=1e-4, atol=1e-5)
    assert (answer.logits.numpy().argmax(1) == expected.argmax(1)).all()

    with torch.autocast("cpu", torch.bfloat16):
        rounded = model.head(answer.embedding.bfloat16())
    assert tied(rounded) > 0.01, "what a head in bf16 made of it"
    assert (rounded.float().numpy().argmax(1) != expected.argmax(1)).any()
    assert tied(answer.logits) == 0


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("views", [None, Views()])
@torch.inference_mode()
def test_every_head_computes_in_full_precision(head: str, views: Views | None) -> None:
    model = classifier(head, 7)
    answer = output_of(InferenceModel.of(model), pictures(32), torch.bfloat16, views)
    for saved in (answer.logits, answer.embedding):
        assert saved.dtype == torch.float32
        values = saved[saved != 0]
        assert (values.bfloat16().float() != values).float().mean() > 0.5, "not only by name"
    if views is None:
        torch.testing.assert_close(model.head(answer.embedding), answer.logits, rtol=0, atol=0)


def test_training_computes_them_so_too() -> None:
    model = classifier("arcface", 7).train()
    model.auxiliary = AuxiliaryClassifiers(model.backbone.tap_channels, 7)
    dtypes: list[torch.dtype] = []
    for layer in (m for part in (model.head, model.auxiliary) for m in part.modules() if isinstance(m, nn.Linear)):
        layer.register_forward_hook(lambda _layer, _inputs, output: dtypes.append(output.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        output = model(torch.randn(8, 3, SIDE, SIDE), torch.arange(8) % 7)
        plain = model.plain_logits(output)
    assert len(dtypes) == len(model.auxiliary.classifiers)
    assert {*dtypes, output.logits.dtype, output.embedding.dtype, plain.dtype} == {torch.float32}
    assert {logits.dtype for logits in output.aux_logits} == {torch.float32}
    output.logits.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
