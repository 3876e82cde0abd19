"""A backbone and a head in one model."""

from __future__ import annotations

from torch import Tensor, nn

from animeid.models.backbone import TimmBackbone
from animeid.types import ModelOutput


class Classifier(nn.Module):
    """Names pictures.

    Args:
        backbone: pictures to embeddings.
        head: embeddings `[B, D]` to logits `[B, C]`.
    """

    def __init__(self, backbone: TimmBackbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, image: Tensor) -> ModelOutput:
        """`[B, 3, H, W]` float, normalised, to logits `[B, C]` and embeddings `[B, D]`."""
        embedding = self.backbone(image)
        return ModelOutput(logits=self.head(embedding), embedding=embedding)
