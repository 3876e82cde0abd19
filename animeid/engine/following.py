"""What follows how well training fits its pictures, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from animeid.metrics.confidence import ClassConfidence


class Following(nn.Module):
    """Hands the confidence of one epoch on when the next one begins, whatever lies between the two.

    Args:
        num_classes: C.
        follow: is given the mean probability of the right class of each class's training pictures, `[C]`.
    """

    def __init__(self, num_classes: int, follow: Callable[[Tensor], None]) -> None:
        super().__init__()
        self.follow = follow
        self.confidence = ClassConfidence(num_classes)
        self.epoch = 0

    def update(self, logits: Tensor, target: Tensor) -> None:
        """Takes in a batch of training: `[B, C]`, and `[B]` or `[B, C]`."""
        self.confidence.update(logits.detach(), target)

    def begin(self, epoch: int) -> None:
        """To be called when an epoch begins, and when it goes on in its middle, which changes nothing."""
        if epoch > self.epoch:
            self.follow(self.confidence.compute())
            self.confidence.reset()
            self.epoch = epoch

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint, the sums of all processes; all must call it."""
        with self.confidence.sync_context():
            sums = {"total": self.confidence.total.tolist(), "pictures": self.confidence.pictures.tolist()}
        return {**sums, "epoch": self.epoch}

    def load(self, state: dict[str, Any], *, is_first: bool) -> None:
        """Goes on from a checkpoint's values; of several processes the first one has the sums of all."""
        self.epoch = state["epoch"]
        for name in ("total", "pictures"):
            own: Tensor = getattr(self.confidence, name)
            own.copy_(own.new_tensor(state[name]) if is_first else own.new_zeros(len(own)))
        # A batch of no pictures: torchmetrics warns of figures that were never updated, and these were.
        self.confidence.update(own.new_zeros(0, len(own)), own.new_zeros(0).long())
