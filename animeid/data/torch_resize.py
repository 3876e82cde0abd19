"""Resizing by torch, for what is resized anew in every epoch."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import interpolate


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """As `animeid.imaging.resize.resize`, but for rounding: by a grey level, seldom two (bounds: tests/imaging).

    Torch's kernel for uint8 pictures in this layout is several times faster than Pillow and than OpenCV's area average.
    """
    if image.shape[:2] == tuple(size):
        return image
    batch = torch.from_numpy(np.require(image, requirements=["C", "W"])).unsqueeze(0).permute(0, 3, 1, 2)
    resized = interpolate(batch, size=size, mode="bilinear", antialias=True)
    return resized.permute(0, 2, 3, 1)[0].numpy()
