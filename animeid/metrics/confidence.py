"""Mean confidence by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric


class ClassConfidence(Metric):
    """The mean probability of the right class over each class's pictures, `[C]`; NaN for a class without any.

    Of mixed pictures it is in the ratio to that of an answer with the very shares that were mixed, so that it compares
    with that of whole ones. Nothing here makes the processor wait for the device.

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
        self.pictures += target.square().sum(0)

    def sums(self) -> dict[str, list[float]]:
        """Plain values, the sums of all processes; all must call it."""
        with self.sync_context():
            return {"total": self.total.tolist(), "pictures": self.pictures.tolist()}

    def add(self, sums: Mapping[str, Sequence[float] | float]) -> None:
        """Takes in what `sums` gave, or one number for all classes."""
        self.total += self.total.new_tensor(sums["total"])
        self.pictures += self.pictures.new_tensor(sums["pictures"])
        # A batch of no pictures: torchmetrics warns of figures that were never updated, and these were.
        self.update(self.total.new_zeros(0, len(self.total)), self.total.new_zeros(0).long())

    def compute(self) -> Tensor:
        return self.total / self.pictures
