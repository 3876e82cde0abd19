"""A head that sees several depths of the backbone at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.models.heads.linear import INITIAL_STD, LinearHead
from animeid.models.taps import Stages, absolute, evenly_spaced

FUSED = 2
"""How many depths before the last stage are fused by default."""


class FusionHead(LinearHead):
    """Cross-layer fusion: maps of several depths are pooled, projected to D and added to the backbone's embedding.

    `e = embedding + sum_i W_i gelu(norm(mean(map_i))) + b_i`, with layer norm, since depths differ in scale. Early maps
    know colours and textures that later ones forget (hypercolumns: Hariharan 2015, arXiv 1411.5752). Projections start
    small, so that training starts near the linear head.

    Args:
        in_features: D, the length of an embedding.
        num_classes: C.
        tap_channels: of the feature map after each stage.
        indices: the stages to fuse, counted from 0, -1 being the last; null takes two, evenly over the depth.
        dropout: share of the embedding's values dropped in training.

    Raises:
        InputError: the network has no such stages.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        tap_channels: Sequence[int],
        *,
        indices: Stages | None = None,
        dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.2,
    ) -> None:
        super().__init__(in_features, num_classes, dropout=dropout)
        stages = len(tap_channels)
        if indices is None:
            self.taps = evenly_spaced(FUSED, stages, "head=fusion")
        else:
            self.taps = absolute(indices, stages, "head.indices: the network")
        self.projections = nn.ModuleList(_projection(tap_channels[tap], in_features) for tap in self.taps)

    def embed(self, embedding: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """`[B, D]` and maps, each `[B, c, h, w]`, to `[B, D]`."""
        for projection, features in zip(self.projections, maps, strict=True):
            embedding = embedding + projection(features.mean((2, 3)))
        return embedding


def _projection(channels: int, out_features: int) -> nn.Module:
    linear = nn.Linear(channels, out_features)
    nn.init.trunc_normal_(linear.weight, std=INITIAL_STD)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.LayerNorm(channels), nn.GELU(), linear)
