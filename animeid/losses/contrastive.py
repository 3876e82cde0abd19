"""Contrastive terms: pictures of one class are drawn together in the space of embeddings, those of others apart.

Shape letters: B pictures, P length of a projection, C classes. Projections have length 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from animeid.numerics import products

NEVER = float("-inf")


def supervised_contrastive(projected: Tensor, target: Tensor, temperature: float) -> Tensor:
    """`[B]`: Khosla 2020 (arXiv 2004.11362), equation 2; 0 for a picture whose class has no other one in the batch.

    Args:
        projected: `[B, P]` float, of length 1.
        target: `[B]` int64; a picture of no class (-1) is no anchor, and apart from every one.
        temperature: above 0.
    """
    others = ~torch.eye(len(target), dtype=torch.bool, device=target.device)
    similar = products(projected, projected) / temperature
    log_share = similar - similar.masked_fill(~others, NEVER).logsumexp(1, keepdim=True)
    positive = others & (target[:, None] == target) & (target >= 0)
    return -mean_where(log_share, positive)


def across_styles_contrastive(projected: Tensor, target: Tensor, style: Tensor, temperature: float) -> Tensor:
    """`[B]`: equation 2 of Khosla 2020 (arXiv 2004.11362) with pictures of the class in other styles as positives.

    Others of the class are neither drawn near nor pushed away; 0 for a picture without a positive.

    Args:
        projected: `[B, P]` float, of length 1.
        target: `[B]` int64; a picture of no class (-1) is no anchor, and apart from every one.
        style: `[B]` int64; one of unknown style (-1) is nobody's positive.
        temperature: above 0.
    """
    others = ~torch.eye(len(target), dtype=torch.bool, device=target.device)
    same = (target[:, None] == target) & (target >= 0)
    known = style >= 0
    positive = same & (style[:, None] != style) & known[:, None] & known
    # Without a positive all others count, so that the logarithm, which is masked then, is one of something.
    counted = others & (positive | ~same | ~positive.any(1, keepdim=True))
    similar = products(projected, projected) / temperature
    log_share = similar - similar.masked_fill(~counted, NEVER).logsumexp(1, keepdim=True)
    return -mean_where(log_share, positive)


def balanced_contrastive(projected: Tensor, target: Tensor, centres: Tensor, temperature: float) -> Tensor:
    """`[B]`: Zhu 2022 (Balanced Contrastive Learning, CVPR), equations 5 and 6.

    In the denominator each class counts by its mean, so that frequent ones do not fill it, and each has its centre in
    every batch, so that rare ones are never missing.

    Args:
        projected: `[B, P]` float, of length 1.
        target: `[B]` int64; a picture of no class (-1) is no anchor and in nobody's denominator.
        centres: `[C, P]` float, of length 1.
        temperature: above 0.
    """
    classes = torch.arange(len(centres), device=target.device)
    every, of = torch.cat([projected, centres]), torch.cat([target, classes])
    similar = products(projected, every) / temperature
    others = torch.ones_like(similar, dtype=torch.bool).fill_diagonal_(fill_value=False)
    counted = others & (of >= 0)
    same = (target[:, None] == of) & (target[:, None] >= 0)
    # Of each class so many are beside the anchor, which does not count itself; its centre always is.
    members = similar.new_zeros(len(centres)).index_add(0, of.clamp_min(0), (of >= 0).to(similar.dtype))
    sizes = members[of.clamp_min(0)] - same.to(similar.dtype)
    log_share = similar - (similar - sizes.log()).masked_fill(~counted, NEVER).logsumexp(1, keepdim=True)
    positive = counted & same
    return -mean_where(log_share, positive)


def mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    """`[B]`: the mean of each row of `[B, M]` over the places that are chosen; 0 without any."""
    return values.masked_fill(~chosen, 0.0).sum(1) / chosen.sum(1).clamp_min(1)
