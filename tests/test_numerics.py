"""Cosines near 1 under autocast: bf16 has no number between 0.996 and 1."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from animeid.losses.contrastive import supervised_contrastive
from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.margin import ArcFaceHead, CosFaceHead


@pytest.mark.parametrize("make", [CosineHead, ArcFaceHead, CosFaceHead])
def test_a_picture_near_its_class_is_told_from_one_on_it(make: type[nn.Module]) -> None:
    head = make(8, 3)
    direction = head.get_parameter("weight").detach().reshape(3, 8)[:1]
    aside = normalize(torch.linalg.qr(torch.cat([direction, torch.randn(7, 8)]).T).Q.T[1:2])
    angles = torch.tensor([[0.0], [0.03], [0.05]])
    embedding = angles.cos() * normalize(direction) + angles.sin() * aside
    with torch.autocast("cpu", torch.bfloat16):
        logits = head(embedding)[:, 0]
    scale = float(head.log_scale.detach().exp()) if isinstance(head, CosineHead) else float(head.scale)
    torch.testing.assert_close(logits, scale * angles.cos()[:, 0], rtol=1e-5, atol=1e-5)


def test_arcface_moves_a_picture_near_its_class() -> None:
    head = ArcFaceHead(8, 3)
    direction = head.weight.detach().reshape(3, 8)[:1]
    embedding = (normalize(direction) + 0.02 * torch.randn(1, 8)).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        head.with_margin(embedding, torch.tensor([0]))[0, 0].backward()
    assert embedding.grad is not None
    assert embedding.grad.norm() > 0.1


def test_similarities_are_not_rounded() -> None:
    projected = normalize(torch.randn(6, 16, dtype=torch.float64))
    target = torch.tensor([0, 0, 0, 1, 1, 1])
    exact = supervised_contrastive(projected, target, 0.05)
    with torch.autocast("cpu", torch.bfloat16):
        found = supervised_contrastive(projected.float(), target, 0.05)
    torch.testing.assert_close(found.double(), exact, rtol=1e-4, atol=1e-4)
