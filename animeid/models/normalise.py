"""From pixels as loaded to what a backbone expects, on the device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Normalise(nn.Module):
    """`(x / 255 - mean) / std` for uint8 pictures `[B, 3, H, W]`; floats come back in the model's memory format.

    Pictures travel as uint8 (a quarter of the bytes) and become floats here, where that is cheap.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], channels_last: bool) -> None:
        super().__init__()
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        # One subtraction and one multiplication on 0..255: ((x / 255) - m) / s = (x - 255 m) / (255 s).
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("scale", 1 / (torch.tensor(std).view(1, 3, 1, 1) * 255), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        floats = image.to(dtype=torch.float32, memory_format=self.memory_format)
        if self.memory_format == torch.contiguous_format:
            return floats.sub_(self.mean).mul_(self.scale)
        # In whole rows: on a CPU, broadcasting over three channels that lie side by side takes seven times as long.
        width = image.shape[3]
        rows = floats.permute(0, 2, 3, 1).view(len(image), -1, 3 * width)
        rows.sub_(self.mean.flatten().repeat(width)).mul_(self.scale.flatten().repeat(width))
        return floats

    def pixels(self, floats: Tensor) -> Tensor:
        """Float pictures from 0 to 255 of normalised ones, in memory of their own."""
        return floats.float() / self.scale + self.mean
