"""A head that compares directions: logits are scaled cosines."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from annotated_types import Gt
from torch import Tensor, nn
from torch.nn import functional

from animeid.numerics import full_precision, products


class CosineHead(nn.Module):
    """`logits = scale * cos(embedding, w_c)`, the cosine classifier of Gidaris and Komodakis 2018 (1804.09458, eq. 3).

    The length of a class's vector plays no part, so that frequent classes cannot win by a longer one.

    Args:
        in_features: D, the length of an embedding.
        num_classes: C.
        scale: what cosines are multiplied with; logits lie between -scale and scale.
        learn_scale: whether training changes the scale, starting from `scale`.
    """

    def __init__(
        self, in_features: int, num_classes: int, *, scale: Annotated[float, Gt(0)] = 16.0, learn_scale: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_classes, in_features) / math.sqrt(in_features))
        # the logarithm keeps a learned scale above zero
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)), requires_grad=learn_scale)

    def forward(self, embedding: Tensor) -> Tensor:
        """`[B, D]` to logits `[B, C]` float32."""
        directions = functional.normalize(self.weight, dim=1)
        return self.log_scale.exp() * products(functional.normalize(full_precision(embedding)), directions)
