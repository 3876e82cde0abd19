"""A backbone and a head in one model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from animeid.models.backbone import TimmBackbone
from animeid.models.deep_supervision import AuxiliaryClassifiers
from animeid.models.heads.contract import MapHead, MarginHead
from animeid.numerics import exact, full_precision
from animeid.types import ModelOutput


class Classifier(nn.Module):
    """Names pictures.

    The head computes in float32 wherever the backbone does not: in bf16, of thousands of logits the two highest are
    often the same number, and the order of the classes would answer. It is small beside the backbone.

    Args:
        backbone: pictures to embeddings.
        head: embeddings to logits; see `animeid.models.heads.contract`.

    Attributes:
        auxiliary: classifiers on feature maps on the way, which answer in training only; None where there are none.
    """

    def __init__(self, backbone: TimmBackbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.auxiliary: AuxiliaryClassifiers | None = None
        # Asked once: torch.compile does not follow a question about a Protocol.
        self._head_taps = tuple(head.taps) if isinstance(head, MapHead) else ()
        self._has_margin = isinstance(head, MarginHead)

    def forward(self, image: Tensor, target: Tensor | None = None) -> ModelOutput:
        """`[B, 3, H, W]` float, normalised, to logits `[B, C]` and embeddings `[B, D]`.

        The embeddings are those that the head gives logits to: `head(output.embedding)` are the logits, but in
        training, where a head with a margin is told the `target`, `[B]` or `[B, C]`.
        """
        return self.forward_tapped(image, (), target)[0]

    def forward_tapped(
        self, image: Tensor, taps: tuple[int, ...], target: Tensor | None = None
    ) -> tuple[ModelOutput, list[Tensor]]:
        """As `forward`, with the feature maps of these stages from the same pass, each `[B, c, h, w]`.

        Raises:
            InputError: the network has no such stage, or timm cannot tap it.
        """
        head_taps = self._head_taps
        auxiliary = self.auxiliary if self.training else None
        auxiliary_taps = auxiliary.taps if auxiliary is not None else ()
        embedding, maps = self._tapped(image, taps + head_taps + auxiliary_taps)
        asked, for_head, for_auxiliary = _cut(maps, len(taps), len(head_taps))
        with exact(image.device):
            if head_taps:
                embedding = self.head.embed(embedding, [full_precision(one) for one in for_head])  # type: ignore[operator]
            aux_logits = auxiliary([full_precision(one) for one in for_auxiliary]) if auxiliary is not None else []
            return ModelOutput(self._logits(embedding, target), embedding, aux_logits), asked

    def _logits(self, embedding: Tensor, target: Tensor | None) -> Tensor:
        if target is None or not self._has_margin:
            return self.head(embedding)
        return self.head.with_margin(embedding, target)  # type: ignore[operator]

    @torch.no_grad()
    def plain_logits(self, output: ModelOutput) -> Tensor:
        """The logits `[B, C]` of an output in training as pictures are named by: without a margin."""
        if not self._has_margin:
            return output.logits.detach()
        with exact(output.embedding.device):
            return self.head(output.embedding)

    def _tapped(self, image: Tensor, taps: tuple[int, ...]) -> tuple[Tensor, list[Tensor]]:
        if not taps:
            return self.backbone(image), []
        maps, embedding = self.backbone.forward_taps(image, taps)
        return embedding, maps


def _cut(maps: list[Tensor], first: int, second: int) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    return maps[:first], maps[first : first + second], maps[first + second :]
