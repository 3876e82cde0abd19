"""Focal loss with classes weighted by their effective number of pictures."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from annotated_types import Interval

from animeid.losses.class_balanced import ClassBalanced
from animeid.losses.focal import FocalLoss
from animeid.types import LabelStats


class ClassBalancedFocalLoss(ClassBalanced):
    """`ClassBalanced` on focal loss.

    The paper weighs the sigmoid form of focal loss; this weighs the softmax form of `functional.focal`.

    Args:
        gamma: how much less an easy picture counts; 0 is class-balanced cross entropy.
    """

    def __init__(
        self,
        stats: LabelStats,
        *,
        beta: Annotated[float, Interval(ge=0, lt=1)] = 0.999,
        gamma: Annotated[float, Interval(ge=0, le=100)] = 2.0,
        start: Annotated[float, Interval(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__(stats, loss=partial(FocalLoss, gamma=gamma), beta=beta, start=start)
