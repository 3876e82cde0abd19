"""The mean over pictures of figures that come batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class PictureMean(Metric):
    """The mean over all pictures and processes of the means of batches.

    Not torchmetrics' MeanMetric: looking for NaN, it makes the processor wait for the device after each batch, and
    told not to look (`nan_strategy="disable"`) it ignores the weights (1.9.0).
    """

    total: Tensor
    pictures: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("total", "pictures"):
            self.add_state(name, torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, mean: Tensor, pictures: int) -> None:
        """Takes in the `mean []` of a batch of so many `pictures`."""
        self.total += mean * pictures
        self.pictures += pictures

    def compute(self) -> Tensor:
        return self.total / self.pictures
