"""Arithmetic that losses, heads and samplers share: full precision under autocast, targets as shares of the classes."""

from __future__ import annotations

import torch
from torch import Tensor

from animeid.terms import UNKNOWN_TARGET


def full_precision(tensor: Tensor) -> Tensor:
    """Half precision becomes float32; float64 stays."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def exact(device: torch.device) -> torch.autocast:
    """A block that computes in the precision of what it is given, under autocast too."""
    return torch.autocast(device.type, enabled=False)


def products(left: Tensor, right: Tensor) -> Tensor:
    """`[A, D]` and `[B, D]` to their inner products `[A, B]` in full precision, under autocast too.

    In bf16 cosines near 1 are rounded to 1: a picture at 3 degrees from its class would have no gradient.
    """
    with exact(left.device):
        return full_precision(left) @ full_precision(right).T


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
