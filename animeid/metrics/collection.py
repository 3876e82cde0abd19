"""The figures of an epoch, added up batch by batch and over devices."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from animeid.terms import UNKNOWN_TARGET


class ClassCounter(Metric):
    """Base of figures of each class's pictures, answers and hits: what a batch costs grows with its pictures alone.

    torchmetrics' own counts of many classes come from a confusion matrix, C x C for each batch, and those of all
    classes together make the processor wait for the device. Figures that share this base are counted once in a
    collection.

    Args:
        num_classes: C.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    support: Tensor
    predicted: Tensor
    hits: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        for name in ("support", "predicted", "hits"):
            self.add_state(name, torch.zeros(num_classes, dtype=torch.long), dist_reduce_fx="sum")

    def update(self, logits: Tensor, target: Tensor) -> None:
        """Takes in `logits [B, C]` and `target [B]`; -1 is left out."""
        answer, known = logits.argmax(1), (target != UNKNOWN_TARGET).long()
        own = target.clamp_min(0)
        self.support.index_add_(0, own, known)
        self.predicted.index_add_(0, answer, known)
        self.hits.index_add_(0, own, (answer == target).long())


class MicroAccuracy(ClassCounter):
    """The share of pictures that were named rightly: `acc_micro`; 0 without any."""

    def compute(self) -> Tensor:
        return self.hits.sum() / self.support.sum().clamp_min(1)


class MacroRecall(ClassCounter):
    """Mean recall of the classes that have pictures: `acc_macro`; NaN without any."""

    def compute(self) -> Tensor:
        return (self.hits / self.support)[self.support > 0].mean()


class ClassRecall(ClassCounter):
    """The recall of each class, `[C]`; NaN for a class without pictures."""

    def compute(self) -> Tensor:
        return self.hits / self.support


class MacroF1(ClassCounter):
    """Mean F1 of the classes that have pictures: `f1_macro`; NaN without any.

    False positives come from all classes. torchmetrics' macro averages also count, as 0, a class that has no pictures
    but was predicted.
    """

    def compute(self) -> Tensor:
        return (2 * self.hits / (self.predicted + self.support))[self.support > 0].mean()


def build_collection(num_classes: int) -> MetricCollection:
    """`acc_micro`, `acc_macro` and `f1_macro`, updated with logits `[B, C]` and targets `[B]`; -1 is left out."""
    return MetricCollection(
        {
            "acc_micro": MicroAccuracy(num_classes),
            "acc_macro": MacroRecall(num_classes),
            "f1_macro": MacroF1(num_classes),
        }
    )
