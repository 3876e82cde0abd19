"""Small pictures first: what an epoch costs grows with their size, and coarse features do not need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, kw_only=True)
class ProgressiveResizing:
    """The side grows evenly from epoch to epoch (Tan 2021, EfficientNetV2, arXiv 2104.00298, section 4).

    Training pictures alone: validation is judged at full size throughout.

    Args:
        start: of the first epoch, as a share of the full side.
        until: the share of the epochs after which pictures have their full size.
        multiple: sides are rounded to a multiple of so many pixels.
        epochs: how many the way takes; `auto` is all epochs of the run, and filled in by the plan.
    """

    start: Annotated[float, Gt(0), Interval(le=1)] = 0.5
    until: Annotated[float, Interval(ge=0, le=1)] = 0.7
    multiple: Annotated[int, Ge(1)] = 8
    epochs: Annotated[int, Ge(1)] | Literal["auto"] = "auto"

    def side(self, full: int, epoch: int) -> int:
        """Pixels of a side of `full` pixels in an epoch, counted from 0."""
        assert self.epochs != "auto"
        if epoch >= self.until * self.epochs:
            return full
        way = epoch / (self.until * self.epochs)
        wanted = (self.start + (1 - self.start) * way) * full
        return min(max(round(wanted / self.multiple), 1) * self.multiple, full)

    def __call__(self, image: Tensor, epoch: int) -> Tensor:
        """Pictures `[B, 3, H, W]` float at the size of the epoch."""
        size = (self.side(image.shape[2], epoch), self.side(image.shape[3], epoch))
        if size == image.shape[2:]:
            return image
        return functional.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
