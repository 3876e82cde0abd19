"""Targets, hard or mixed, as shares of the classes."""

from __future__ import annotations

import torch
from torch import Tensor

from animeid.types import UNKNOWN_TARGET


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
