"""Test-time augmentation: a picture is answered in several views, and the answers are averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal

import torch
from annotated_types import Gt, MinLen
from torch import Tensor
from torch.nn import functional

from animeid.types import ModelOutput

Scale = Annotated[float, Gt(0)]


@dataclass(frozen=True, kw_only=True)
class Views:
    """Every combination of mirroring and scale.

    flip: whether each view comes mirrored as well.
    scales: 1.1 shows the middle larger, 0.9 the whole smaller; the size of the picture stays, so that every network can
        see it.
    average: of `probabilities`, as an ensemble's, or of `logits`, which is their geometric mean.
    """

    flip: bool = True
    scales: Annotated[tuple[Scale, ...], MinLen(1)] = (1.0,)
    average: Literal["probabilities", "logits"] = "probabilities"

    @property
    def number(self) -> int:
        return len(self.scales) * (1 + self.flip)

    def told(self, pictures: int, seconds: float) -> str:
        """What answering so many pictures in these views took."""
        return f"answered in {self.number} views each, {pictures / seconds:.0f} pictures/s"

    def of(self, image: Tensor) -> Iterator[Tensor]:
        """The views of uint8 pictures `[B, 3, H, W]`, each of their shape."""
        for scale, mirrored in product(self.scales, (False, True)[: 1 + self.flip]):
            view = image if scale == 1 else zoom(image, scale)
            yield view.flip(3) if mirrored else view

    def answer(self, model: Callable[[Tensor], ModelOutput], image: Tensor) -> ModelOutput:
        """The average over the views of uint8 pictures `[B, 3, H, W]`: float32 logits, and embeddings."""
        outputs = [model(view) for view in self.of(image)]
        logits = torch.stack([output.logits.float() for output in outputs])
        if self.average == "probabilities":
            # The logarithm of the mean probability is a logit: softmax gives the mean back.
            mean = logits.log_softmax(2).logsumexp(0) - torch.tensor(float(len(outputs))).log()
        else:
            mean = logits.mean(0)
        return ModelOutput(mean, torch.stack([output.embedding.float() for output in outputs]).mean(0))


def zoom(image: Tensor, scale: float) -> Tensor:
    """Uint8 pictures `[B, 3, H, W]` enlarged round their middle, or made smaller with their edges continued."""
    height, width = image.shape[2:]
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    scaled = functional.interpolate(image.float(), size, mode="bilinear", antialias=scale < 1, align_corners=False)
    # A negative padding cuts off.
    vertical, horizontal = height - size[0], width - size[1]
    sides = (horizontal // 2, horizontal - horizontal // 2, vertical // 2, vertical - vertical // 2)
    return functional.pad(scaled, sides, mode="replicate").round().clamp(0, 255).to(torch.uint8)
