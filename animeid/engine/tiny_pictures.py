"""Training on pictures of which a network's last layers see one place: in float32 on CPUs, whatever the precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

TINY = 16
"""Pixels of the shorter side, at which or below a network that halves five times halves a map of one place last."""


def exact_where_tiny(image: Tensor) -> AbstractContextManager[object]:
    """A context without autocast for tiny pictures `[B, 3, H, W]` on a CPU, else one that changes nothing.

    In bfloat16 oneDNN leaves the weights' gradient of a 3 x 3 convolution that takes every second place of one place as
    the memory was (seen with torch 2.15 on processors with AVX512-BF16): not the same twice, and sometimes NaN.
    """
    is_tiny = image.device.type == "cpu" and min(image.shape[-2:]) <= TINY
    return torch.autocast("cpu", enabled=False) if is_tiny else nullcontext()


def told_where_tiny(accelerator: str, precision: str, side: int) -> str:
    """What is added to the precision that a user is told; nothing where it holds for all of his pictures.

    Args:
        side: pixels of the shorter side of the smallest pictures that are trained on.
    """
    is_told = accelerator == "cpu" and precision == "bf16-mixed" and side <= TINY
    return f", pictures of up to {TINY} px in 32-true, since bf16 leaves gradients of such unset" if is_told else ""
