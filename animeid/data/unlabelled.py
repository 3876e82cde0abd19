"""Unlabelled pictures as a torch data set, for prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Dataset

from animeid.data.pictures import Picture, read_working
from animeid.imaging.decode import UnreadableImage
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side


class UnlabelledDataset(Dataset):
    """Item i is `(i, picture [3, H, W] uint8, "")`, or `(i, zeros, reason)` where the file cannot be read."""

    def __init__(
        self, pictures: Sequence[Picture], transform: EvalTransform, max_pixels: int, *, incomplete: bool = False
    ) -> None:
        self.pictures = pictures
        self.transform = transform
        self.max_pixels = max_pixels
        self.incomplete = incomplete
        self.side = working_side(transform.image_size)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[int, torch.Tensor, str]:
        try:
            given = self.pictures[index]
            picture = self.transform(read_working(given, self.max_pixels, self.side, incomplete=self.incomplete))
        except (UnreadableImage, OSError) as error:
            height, width = self.transform.image_size
            return index, torch.zeros((3, height, width), dtype=torch.uint8), str(error)
        return index, torch.from_numpy(picture).permute(2, 0, 1).contiguous(), ""

    @staticmethod
    def collate(items: list[tuple[int, torch.Tensor, str]]) -> dict[str, Any]:
        """`row` and `image` as in a `Batch`, and `error`, the reasons."""
        indices, pictures, reasons = zip(*items, strict=True)
        return {"row": torch.tensor(indices), "image": torch.stack(pictures), "error": list(reasons)}
