"""Unlabelled pictures by path, for prediction."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import torch
from torch.utils.data import Dataset

from animeid.data.picture_files import working_picture
from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES, UnreadableImage
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side
from animeid.system.console import as_text


def find_pictures(given: str) -> list[Path]:
    """The files that a path or pattern means, sorted.

    A file is taken whatever its name; a folder gives all files below it whose names end as pictures' do; anything else
    is a glob pattern (`**` goes into sub-folders).

    Raises:
        InputError: nothing is there, or a folder on the way may not be read.
    """
    try:
        return _find(given)
    except OSError as error:
        raise InputError(
            f"{as_text(Path(error.filename or given))}, which input={as_text(Path(given))} leads to, cannot be read "
            f"({error.strerror}): allow reading it"
        ) from error


def _find(given: str) -> list[Path]:
    path = Path(given)
    if path.is_file():
        return [path]
    if path.is_dir():
        below = (Path(folder) / name for folder, _, names in os.walk(path, onerror=_raise) for name in names)
        found = [file for file in below if file.suffix.lower() in SUFFIXES and file.is_file()]
        ending = f"a folder with pictures ({', '.join(sorted(SUFFIXES))})"
    else:
        found = [Path(name) for name in glob.glob(given, recursive=True) if Path(name).is_file()]  # noqa: PTH207
        ending = "a file, a folder or a quoted pattern such as 'pictures/*.jpg'"
    if not found:
        raise InputError(f"no picture is found at input={given}: give {ending}")
    return sorted(found)


def _raise(error: OSError) -> NoReturn:
    raise error


class FileDataset(Dataset):
    """Item i is `(i, picture [3, H, W] uint8, "")`, or `(i, zeros, reason)` where the file cannot be read."""

    def __init__(self, paths: Sequence[Path], transform: EvalTransform, max_pixels: int) -> None:
        self.paths = paths
        self.transform = transform
        self.max_pixels = max_pixels
        self.side = working_side(transform.image_size)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[int, torch.Tensor, str]:
        try:
            picture = self.transform(working_picture(self.paths[index], self.max_pixels, self.side))
        except (UnreadableImage, OSError) as error:
            height, width = self.transform.image_size
            return index, torch.zeros((3, height, width), dtype=torch.uint8), str(error)
        return index, torch.from_numpy(picture).permute(2, 0, 1).contiguous(), ""

    @staticmethod
    def collate(items: list[tuple[int, torch.Tensor, str]]) -> tuple[list[int], torch.Tensor, list[str]]:
        indices, pictures, reasons = zip(*items, strict=True)
        return list(indices), torch.stack(pictures), list(reasons)
