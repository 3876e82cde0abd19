"""Heads with margins against the papers' equations, written with angles."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from animeid.models.heads.margin import AngularHead, ArcFaceHead, CosFaceHead

C, D = 4, 12
TARGET = torch.tensor([0, 3, 2, 2, 1])


def embeddings() -> Tensor:
    return 3 * torch.randn(len(TARGET), D, generator=torch.Generator().manual_seed(7))


def naive(head: AngularHead, embedding: Tensor, target: Tensor | None = None) -> Tensor:
    """A picture, a class and a vector at a time."""
    rows = []
    for number, picture in enumerate(embedding):
        row = []
        for label in range(C):
            angles = [math.acos(float(nn.functional.cosine_similarity(picture, w, 0))) for w in head.weight[label]]
            angle = min(angles)
            cosine = math.cos(angle)
            if target is not None and label == int(target[number]):
                if isinstance(head, CosFaceHead):
                    cosine -= head.margin
                elif angle + head.margin < math.pi:
                    cosine = math.cos(angle + head.margin)
                else:
                    cosine -= head.margin * math.sin(head.margin)
            row.append(head.scale * cosine)
        rows.append(row)
    return torch.tensor(rows)


@torch.no_grad()
@pytest.mark.parametrize("centres", [1, 3])
@pytest.mark.parametrize("factory", [ArcFaceHead, CosFaceHead])
def test_logits_are_those_of_the_paper(factory: type[AngularHead], centres: int) -> None:
    torch.manual_seed(0)
    head, embedding = factory(D, C, centres=centres), embeddings()
    torch.testing.assert_close(head(embedding), naive(head, embedding), rtol=1e-4, atol=1e-4)
    expected = naive(head, embedding, TARGET)
    torch.testing.assert_close(head.with_margin(embedding, TARGET), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("factory", [ArcFaceHead, CosFaceHead])
def test_a_mixed_picture_has_a_part_of_the_margin(factory: type[AngularHead]) -> None:
    torch.manual_seed(0)
    head, embedding, shares = factory(D, C), embeddings(), torch.full((len(TARGET), C), 0.25)
    quarter = factory(D, C, margin=head.margin / 4)
    quarter.load_state_dict(head.state_dict())
    whole = torch.ones_like(shares)
    torch.testing.assert_close(head.with_margin(embedding, shares), quarter.with_margin(embedding, whole))
    torch.testing.assert_close(head.with_margin(embedding, torch.zeros_like(shares)), head(embedding))


@torch.no_grad()
def test_beyond_a_straight_angle_the_logit_still_falls() -> None:
    head = ArcFaceHead(2, 1, margin=0.5)
    head.weight[:] = torch.tensor([1.0, 0.0])
    angles = torch.linspace(0.01, math.pi - 0.01, 200)
    logits = head.with_margin(torch.stack([angles.cos(), angles.sin()], 1), torch.ones(200, 1))[:, 0]
    assert (logits.diff() < 0).all()


@pytest.mark.parametrize("factory", [ArcFaceHead, CosFaceHead])
def test_gradients_are_finite_where_picture_and_class_point_the_same_way(factory: type[AngularHead]) -> None:
    head = factory(D, C)
    embedding = torch.cat([head.weight[:2, 0].detach(), -head.weight[2:, 0].detach(), torch.zeros(1, D)])
    embedding.requires_grad_()
    head.with_margin(embedding, torch.tensor([0, 1, 2, 3, 0])).sum().backward()
    assert embedding.grad is not None
    assert embedding.grad.isfinite().all()
    assert head.weight.grad is not None
    assert head.weight.grad.isfinite().all()
