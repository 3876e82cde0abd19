"""How sure a model is of the right class, class by class."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class ClassConfidence(Metric):
    """The mean probability of the right class over each class's pictures, `[C]`; NaN for a class without any.

    Nothing here makes the processor wait for the device.

    Args:
        num_classes: C.
    """

    total: Tensor
    pictures: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        for name in ("total", "pictures"):
            self.add_state(name, torch.zeros(num_classes), dist_reduce_fx="sum")

    def update(self, logits: Tensor, target: Tensor) -> None:
        """Takes in `logits [B, C]` and `target [B]`, -1 being left out, or the shares `[B, C]` of mixed pictures."""
        if target.ndim == 1:
            target = (target.unsqueeze(1) == torch.arange(logits.shape[1], device=target.device)).float()
        self.total += (target * logits.float().softmax(1)).sum(0)
        self.pictures += target.sum(0)

    def compute(self) -> Tensor:
        return self.total / self.pictures
