"""A head that weighs the channels by what the whole last feature map shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Interval
from torch import Tensor, nn

from animeid.models.heads.last_map import LastMapHead


class SqueezeExcitationHead(LastMapHead):
    """Squeeze and excitation (Hu 2018, arXiv 1709.01507, eq. 2 to 4) of the last feature map, then a linear layer.

    The map is squeezed to its mean, `s = sigmoid(W2 relu(W1 mean + b1) + b2)` excites each channel, and the embedding
    is `s` times the backbone's. A channel's factor is the same at all places, so that weighing a map and then taking
    its mean is weighing its mean: for networks whose embedding is the mean of their last map (resnet) this is the
    paper's block before the pooling. Where layers lie between map and embedding (mobilenetv3, vit), they stay in use.

    Args:
        in_features: D, the length of an embedding.
        num_classes: C.
        tap_channels: of the feature map after each stage.
        reduction: how many times smaller the hidden layer is than the map's channels.
        dropout: share of the embedding's values dropped in training.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        tap_channels: Sequence[int],
        *,
        reduction: Annotated[int, Ge(1)] = 16,
        dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.2,
    ) -> None:
        super().__init__(in_features, num_classes, dropout=dropout)
        channels = tap_channels[-1]
        hidden = max(1, channels // reduction)
        self.excitation = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, in_features), nn.Sigmoid()
        )

    def embed_map(self, embedding: Tensor, features: Tensor) -> Tensor:
        """`[B, D]` and the last map `[B, c, h, w]` to `[B, D]`."""
        return embedding * self.excitation(features.mean((2, 3)))
