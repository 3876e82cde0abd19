"""Heads against torch's own functions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.linear import LinearHead


def embeddings(count: int = 5, size: int = 12) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(0)) * 3


@torch.no_grad()
def test_cosine_logits_are_scaled_cosines() -> None:
    head, embedding = CosineHead(12, 4, scale=20.0), embeddings()
    cosines = nn.functional.cosine_similarity(embedding[:, None], head.weight[None], dim=-1)
    torch.testing.assert_close(head(embedding), 20 * cosines)


@torch.no_grad()
def test_cosine_logits_ignore_lengths() -> None:
    head, embedding = CosineHead(12, 4), embeddings()
    expected = head(embedding)
    head.weight[0] *= 100
    torch.testing.assert_close(head(embedding * 7), expected)


def test_an_embedding_of_zeros_gives_no_nan() -> None:
    head = CosineHead(12, 4)
    embedding = torch.zeros(2, 12, requires_grad=True)
    head(embedding).sum().backward()
    assert embedding.grad is not None
    assert embedding.grad.isfinite().all()


@pytest.mark.parametrize("learned", [True, False])
def test_the_scale_is_learned_or_stays(learned: bool) -> None:
    torch.manual_seed(0)
    head = CosineHead(12, 4, scale=10.0, learn_scale=learned)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    nn.functional.cross_entropy(head(embeddings(4)), torch.arange(4)).backward()
    optimizer.step()
    assert (head.log_scale.exp().item() == pytest.approx(10.0)) is not learned
    assert head.log_scale.exp() > 0


def test_dropout_acts_in_training_only() -> None:
    head, embedding = LinearHead(12, 4, dropout=0.5), embeddings()
    assert not torch.equal(head(embedding), head(embedding))
    head.eval()
    torch.testing.assert_close(head(embedding), nn.functional.linear(embedding, head.linear.weight, head.linear.bias))


@torch.no_grad()
def test_a_new_linear_head_favours_no_class() -> None:
    torch.manual_seed(0)
    head = LinearHead(1280, 100).eval()
    logits = head(torch.randn(64, 1280))
    loss = nn.functional.cross_entropy(logits, torch.randint(100, (64,)))
    assert loss.item() == pytest.approx(math.log(100), rel=0.1)
    assert head.linear.bias.abs().max() == 0
    assert logits.std() > 0.1
