"""A linear head on the embedding and on the pooled maps of some stages."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor
from torch.nn.functional import normalize

from animeid.errors import InputError
from animeid.models.heads.linear import LinearHead
from animeid.models.taps import Stages, absolute

STAGES = 2
"""How many stages stand beside the embedding by default."""


class MultiStageHead(LinearHead):
    """The embedding and the means of the maps of several stages, side by side, each of one length, then a linear layer.

    `e = sqrt(E / P) [unit(embedding), unit(mean(map_1)), ...]` of P parts, whose entries have a mean square of 1. A
    network's last layers keep what its own classes needed; some of what tells other pictures apart is lost on the way.
    It is Head2Toe (Evci 2022, arXiv 2201.03529) of few stages and without the selection of single features, and has no
    weights but those of the linear layer, so that it can be fitted to a network that stays as it is.

    Args:
        in_features: D, the length of the backbone's embedding.
        num_classes: C.
        tap_channels: of the feature map after each stage.
        indices: the stages beside the embedding, counted from 0, -1 being the last; null takes the last two, before a
            last one that is as long as the embedding, which in most networks is its mean.
        dropout: share of the values dropped in training.

    Raises:
        InputError: the network has no such stages, or one is named twice.
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
        stages = len(tap_channels)
        if indices is None:
            taps = tuple(range(stages - (tap_channels[-1] == in_features)))[-STAGES:]
        else:
            taps = absolute(indices, stages, "head.indices: the network")
        if not taps:
            raise InputError("head=multi_stage: the network has no stage beside its embedding: take head=linear")
        if len(set(taps)) < len(taps):
            raise InputError(f"head.indices names a stage twice, of {list(taps)}: name each once")
        super().__init__(in_features + sum(tap_channels[tap] for tap in taps), num_classes, dropout=dropout)
        self.taps = taps

    def embed(self, embedding: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """`[B, D]` and maps, each `[B, c, h, w]`, to `[B, E]`."""
        parts = [embedding, *(features.mean((2, 3)) for features in maps)]
        together = torch.cat([normalize(part) for part in parts], 1)
        return sqrt(together.shape[1] / len(parts)) * together
