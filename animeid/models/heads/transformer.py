"""A head that looks at the places of the last feature map and at how they belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Interval
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.heads.last_map import LastMapHead

LONGEST_WAVE = 10000.0


class TransformerHead(LastMapHead):
    """A small pre-norm transformer (Dosovitskiy 2021, arXiv 2010.11929) over the tokens of the last feature map.

    A token is a place of the map, normalised, projected and given its position as sines and cosines of row and column,
    which are computed for any size. The class token starts as the backbone's embedding, projected; what it has become
    is the embedding.

    Args:
        in_features: D, the length of the backbone's embedding.
        num_classes: C.
        tap_channels: of the feature map after each stage.
        width: E, the length of a token and of the embedding; a multiple of 4 and of `heads`.
        depth: blocks.
        heads: of each block's attention.
        dropout: share of values dropped in training, in the blocks and before the linear layer.

    Raises:
        InputError: `width` cannot be split as it must.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        tap_channels: Sequence[int],
        *,
        width: Annotated[int, Ge(4)] = 256,
        depth: Annotated[int, Ge(1)] = 1,
        heads: Annotated[int, Ge(1)] = 4,
        dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.1,
    ) -> None:
        if width % 4 or width % heads:
            raise InputError(
                f"head.width={width} must be a multiple of 4 and of head.heads={heads}: change one of them"
            )
        super().__init__(width, num_classes, dropout=dropout)
        channels = tap_channels[-1]
        self.class_projection = nn.Sequential(nn.LayerNorm(in_features), nn.Linear(in_features, width))
        self.map_projection = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, width))
        self.blocks = nn.Sequential(*(Block(width, heads, qkv_bias=True, proj_drop=dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)

    def embed_map(self, embedding: Tensor, features: Tensor) -> Tensor:
        """`[B, D]` and the last map `[B, c, h, w]` to `[B, E]`."""
        places = self.map_projection(features.flatten(2).transpose(1, 2))
        height, width = features.shape[2:]
        places = places + positions(height, width, places.shape[-1], places.device).to(places.dtype)
        tokens = torch.cat([self.class_projection(embedding).unsqueeze(1), places], dim=1)
        return self.norm(self.blocks(tokens))[:, 0]


def positions(height: int, width: int, size: int, device: torch.device) -> Tensor:
    """Where each place of a map lies, row by row: `[height * width, size]` float32.

    A quarter of the values each: sine and cosine of the row, sine and cosine of the column, at waves of growing length
    (Vaswani 2017, arXiv 1706.03762, section 3.5, for two dimensions).

    Args:
        size: a multiple of 4.
    """
    waves = LONGEST_WAVE ** -(torch.arange(size // 4, device=device) / (size // 4))
    rows, columns = (torch.arange(count, device=device)[:, None] * waves for count in (height, width))
    row = torch.cat([rows.sin(), rows.cos()], 1)[:, None].expand(-1, width, -1)
    column = torch.cat([columns.sin(), columns.cos()], 1)[None].expand(height, -1, -1)
    return torch.cat([row, column], 2).flatten(0, 1)
