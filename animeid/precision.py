"""Arithmetic that must not be done in half precision."""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(tensor: Tensor) -> Tensor:
    """Half precision becomes float32; float64 stays."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def products(left: Tensor, right: Tensor) -> Tensor:
    """`[A, D]` and `[B, D]` to their inner products `[A, B]` in full precision, under autocast too.

    In bf16 cosines near 1 are rounded to 1: a picture at 3 degrees from its class would have no gradient.
    """
    with torch.autocast(left.device.type, enabled=False):
        return full_precision(left) @ full_precision(right).T
