"""What a network costs: its parameters, and the operations that an answer takes."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def multiply_adds(answer: Callable[[], object]) -> int:
    """Half of the operations that torch counts while something is answered."""
    counter = FlopCounterMode(display=False)
    with counter:
        answer()
    return counter.get_total_flops() // 2
