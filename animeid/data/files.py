"""Unlabelled pictures for prediction: files by path or pattern, and pictures in memory."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from animeid.data.picture_files import working_picture
from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES, UnreadableImage, upright_rgb
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side
from animeid.imaging.working import working_from_image
from animeid.system.console import as_text

Picture = str | Path | Image.Image | np.ndarray
"""A file, or a picture in memory: Pillow's, or `[h, w, 3]` uint8 RGB."""

Pictures = Sequence[Picture]


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


@singledispatch
def pictures_of(given: Any) -> list[Picture]:
    """One or several pictures as a list; the text of a path may mean several (see `find_pictures`).

    Raises:
        InputError: a path leads to no picture.
    """
    return list(given)


@pictures_of.register
def _(given: str | Path) -> list[Picture]:
    return list(find_pictures(str(given)))


@pictures_of.register
def _(given: Image.Image) -> list[Picture]:
    return [given]


@pictures_of.register
def _(given: np.ndarray) -> list[Picture]:
    return [given] if given.ndim == 3 else list(given)


@singledispatch
def read_working(picture: Any, max_pixels: int, side: int) -> np.ndarray:
    """A file, or a picture in memory, to the working picture that transforms see: `[h, w, 3]` uint8 RGB.

    JPEG files are decoded at a fraction of their size where that is enough; a picture in memory has been decoded whole,
    and differs from its file by that much.

    Raises:
        UnreadableImage: the file is no picture that can be used.
    """
    return working_picture(Path(picture), max_pixels, side)


@read_working.register
def _(picture: Image.Image, max_pixels: int, side: int) -> np.ndarray:  # noqa: ARG001 - bounds what is decoded
    return working_from_image(upright_rgb(picture), side)


@read_working.register
def _(picture: np.ndarray, max_pixels: int, side: int) -> np.ndarray:  # noqa: ARG001 - bounds what is decoded
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise InputError(f"a picture is [H, W, 3] uint8 in RGB, and this one {list(picture.shape)} {picture.dtype}")
    return working_from_image(Image.fromarray(picture), side)


class FileDataset(Dataset):
    """Item i is `(i, picture [3, H, W] uint8, "")`, or `(i, zeros, reason)` where the file cannot be read."""

    def __init__(self, pictures: Sequence[Picture], transform: EvalTransform, max_pixels: int) -> None:
        self.pictures = pictures
        self.transform = transform
        self.max_pixels = max_pixels
        self.side = working_side(transform.image_size)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[int, torch.Tensor, str]:
        try:
            picture = self.transform(read_working(self.pictures[index], self.max_pixels, self.side))
        except (UnreadableImage, OSError) as error:
            height, width = self.transform.image_size
            return index, torch.zeros((3, height, width), dtype=torch.uint8), str(error)
        return index, torch.from_numpy(picture).permute(2, 0, 1).contiguous(), ""

    @staticmethod
    def collate(items: list[tuple[int, torch.Tensor, str]]) -> dict[str, Any]:
        """`row` and `image` as in a `Batch`, and `error`, the reasons."""
        indices, pictures, reasons = zip(*items, strict=True)
        return {"row": torch.tensor(indices), "image": torch.stack(pictures), "error": list(reasons)}
