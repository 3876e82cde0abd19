"""Tracker of confidence on training and validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from animeid.metrics.confidence import ClassConfidence


class ConfidenceTracker(nn.Module):
    """Hands the confidences of one epoch on when the next one begins, whatever lies between the two.

    Args:
        num_classes: C.
        follow: is given the mean probability of the right class of each class's training pictures, `[C]`, and of its
            validation pictures, `[C]`.
    """

    def __init__(self, num_classes: int, follow: Callable[[Tensor, Tensor], None]) -> None:
        super().__init__()
        self.follow = follow
        self.fitted = ClassConfidence(num_classes)
        self.held_out = ClassConfidence(num_classes)
        self.epoch = 0

    def begin(self, epoch: int) -> None:
        """To be called when an epoch begins, and when it goes on in its middle, which changes nothing."""
        if epoch > self.epoch:
            self.follow(self.fitted.compute(), self.held_out.compute())
            self.fitted.reset()
            self.held_out.reset()
            self.epoch = epoch

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint, the sums of all processes; all must call it."""
        return {"epoch": self.epoch, "fitted": self.fitted.sums(), "held_out": self.held_out.sums()}

    def load(self, state: dict[str, Any], *, is_first: bool) -> None:
        """Goes on from a checkpoint's values; of several processes the first one has the sums of all."""
        self.epoch = state["epoch"]
        for name, confidence in (("fitted", self.fitted), ("held_out", self.held_out)):
            confidence.reset()
            confidence.add(state[name] if is_first else {"total": 0.0, "pictures": 0.0})
