"""The figures of an epoch, added up batch by batch and over devices."""

from __future__ import annotations

from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassStatScores

from animeid.terms import UNKNOWN_TARGET


class MacroOfSupported(MulticlassStatScores):
    """Base of macro figures over the classes that have pictures.

    torchmetrics' own macro averages also count, as 0, a class that has no pictures but was predicted. Its counts, their
    update and their synchronisation over devices are taken as they are.
    """

    is_differentiable = False
    higher_is_better = True

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, average=None, ignore_index=UNKNOWN_TARGET, validate_args=False)

    def class_values(self, hits: Tensor, predicted: Tensor, support: Tensor) -> Tensor:
        """`[C]` values of counts `[C]`; those of classes without pictures are not looked at."""
        raise NotImplementedError

    def compute(self) -> Tensor:
        """The mean over the classes with pictures; NaN without any."""
        hits, predicted, _, _, support = super().compute().float().T
        predicted = hits + predicted
        return self.class_values(hits, predicted, support)[support > 0].mean()


class MacroRecall(MacroOfSupported):
    """Mean recall: `acc_macro`."""

    def class_values(self, hits: Tensor, predicted: Tensor, support: Tensor) -> Tensor:  # noqa: ARG002
        return hits / support


class ClassRecall(MulticlassStatScores):
    """The recall of each class."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, average=None, ignore_index=UNKNOWN_TARGET, validate_args=False)

    def compute(self) -> Tensor:
        """`[C]`; NaN for a class without pictures."""
        hits, _, _, _, support = super().compute().float().T
        return hits / support


class MacroF1(MacroOfSupported):
    """Mean F1: `f1_macro`; false positives come from all classes."""

    def class_values(self, hits: Tensor, predicted: Tensor, support: Tensor) -> Tensor:
        return 2 * hits / (predicted + support)


def build_collection(num_classes: int) -> MetricCollection:
    """`acc_micro`, `acc_macro` and `f1_macro`, updated with logits `[B, C]` and targets `[B]`; -1 is left out."""
    return MetricCollection(
        {
            # torchmetrics' accuracy is macro unless told otherwise
            "acc_micro": MulticlassAccuracy(
                num_classes, average="micro", ignore_index=UNKNOWN_TARGET, validate_args=False
            ),
            "acc_macro": MacroRecall(num_classes),
            "f1_macro": MacroF1(num_classes),
        }
    )
