"""The mathematics of the losses: pure functions of logits and targets.

Shape letters: B pictures, C classes. A target is hard, `[B]` int64 with -1 for none of the classes, or mixed,
`[B, C]` shares of each class; a mixed row of zeros, or of -1, is none of the classes. Every loss here is linear in the
shares: a mixed row costs the weighted sum of its classes' losses, and a row without a class costs 0 and has no
gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from animeid.errors import InputError
from animeid.types import UNKNOWN_TARGET

MANY_NAMES = 5


def class_shares(logits: Tensor, target: Tensor) -> Tensor:
    """Hard or mixed targets as shares `[B, C]` in the type of `logits`, zero in rows of none of the classes.

    Raises:
        ValueError: mixed targets have another shape than the logits.
    """
    if target.ndim == 1:
        known = target != UNKNOWN_TARGET
        index = target.where(known, 0).unsqueeze(1)
        return torch.zeros_like(logits).scatter_(1, index, known.unsqueeze(1).to(logits.dtype))
    if target.shape != logits.shape:
        raise ValueError(f"mixed targets are {tuple(target.shape)}, the logits {tuple(logits.shape)}")
    return target.to(logits.dtype).clamp_min(0)


def smooth(shares: Tensor, label_smoothing: float) -> Tensor:
    """Moves a part of each row's share to all classes alike (Szegedy 2016, arXiv 1512.00567, section 7).

    Args:
        shares: `[B, C]`; the sum of a row stays what it is, so that a row of zeros stays one.
        label_smoothing: the part that moves, 0 to 1.
    """
    spread = shares.sum(1, keepdim=True) / shares.shape[1]
    return torch.lerp(shares, spread, label_smoothing)


def full_precision(logits: Tensor) -> Tensor:
    """Half precision becomes float32: the small differences of log-probabilities are lost in it."""
    return logits if logits.dtype == torch.float64 else logits.float()


def cross_entropy(
    logits: Tensor, target: Tensor, *, label_smoothing: float = 0.0, weight: Tensor | None = None
) -> Tensor:
    """`-sum_c w_c t_c log p_c`, `[B]`, with p the softmax of the logits and t the smoothed target.

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
        weight: `[C]`, one weight a class; all 1 by default.
    """
    logits = full_precision(logits)
    shares = smooth(class_shares(logits, target), label_smoothing)
    return _weighted_sum(shares, -logits.log_softmax(1), weight)


def focal(logits: Tensor, target: Tensor, *, gamma: float, weight: Tensor | None = None) -> Tensor:
    """`-sum_c w_c t_c (1 - p_c)^gamma log p_c`, `[B]`: equation 4 of Lin 2017 (arXiv 1708.02002), for a softmax.

    The paper's detector has a sigmoid for each class; here the classes exclude each other, and p is the softmax. With
    two classes both are the same. `gamma = 0` is cross entropy.

    Args:
        logits: `[B, C]`.
        target: `[B]` or `[B, C]`.
        gamma: how much less a picture counts that is already right.
        weight: `[C]`, one weight a class (the paper's alpha); all 1 by default.
    """
    logits = full_precision(logits)
    log_p = logits.log_softmax(1)
    # Where p rounds to 1 the power has an infinite slope for gamma < 1, and 0 * inf would make the gradient NaN.
    wrong = (-log_p.expm1()).clamp_min(torch.finfo(logits.dtype).tiny)
    return _weighted_sum(class_shares(logits, target), -(wrong**gamma) * log_p, weight)


def _weighted_sum(shares: Tensor, costs: Tensor, weight: Tensor | None) -> Tensor:
    if weight is not None:
        costs = costs * weight.to(costs.dtype)
    return (shares * costs).sum(1)


def effective_number_weights(counts: Tensor, beta: float, names: Sequence[str]) -> Tensor:
    """`w_c = (1 - beta) / (1 - beta^n_c)`, `[C]` float64, scaled to mean 1: equation 2 of Cui 2019 (arXiv 1901.05555).

    The scale is the paper's: the weights sum to C, every class counting once, however many pictures it has. `beta = 0`
    weighs all classes alike; `beta` towards 1 weighs by `1 / n_c`.

    Args:
        counts: `[C]`, pictures of each class that an epoch shows; they need not be whole.
        beta: from 0 up to but without 1.
        names: the classes, for the message.

    Raises:
        InputError: a class has no picture, so that its weight would be infinite.
    """
    empty = [name for name, count in zip(names, counts.tolist(), strict=True) if count <= 0]
    if empty:
        shown = ", ".join(empty[:MANY_NAMES]) + (f" and {len(empty) - MANY_NAMES} more" if empty[MANY_NAMES:] else "")
        raise InputError(
            f"a class-balanced loss needs training pictures of every class, and {shown} has none: "
            "add pictures, drop the class, or take loss=cross_entropy"
        )
    log_beta = torch.tensor(beta, dtype=torch.float64).log()
    # expm1 keeps the digits that 1 - beta^n loses when beta is near 1.
    weights = -1 / torch.expm1(counts.double() * log_beta)
    return weights / weights.mean()
