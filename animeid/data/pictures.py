"""Pictures as a caller gives them, files or in memory, to working pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from animeid.data.files import find_pictures
from animeid.data.picture_files import working_picture
from animeid.errors import InputError
from animeid.imaging.decode import upright_rgb
from animeid.imaging.working import working_from_image
from animeid.system.console import as_text
from animeid.system.names import expanded

Picture = str | Path | Image.Image | np.ndarray
"""A file, or a picture in memory: Pillow's, or `[h, w, 3]` uint8 RGB."""

Pictures = Sequence[Picture]


@singledispatch
def pictures_of(given: Any) -> list[Picture]:
    """One or several pictures as a list; the text of a path may mean several (see `find_pictures`).

    Raises:
        InputError: a path leads to no picture, or what is given is none of these.
    """
    if not isinstance(given, Iterable):
        raise InputError(f"{given!r} is no picture: give files, a folder, Pillow images or arrays [H, W, 3] of uint8")
    found = list(given)
    if not found:
        raise InputError("no pictures were given: give files, a folder, Pillow images or arrays [H, W, 3] of uint8")
    for one in found:
        if not isinstance(one, str | Path | Image.Image | np.ndarray):
            raise InputError(f"{one!r} is no picture: give files, Pillow images or arrays [H, W, 3] of uint8")
    return found


@pictures_of.register
def _(given: str | Path) -> list[Picture]:
    return list(find_pictures(expanded("input", str(given))))


@pictures_of.register
def _(given: Image.Image) -> list[Picture]:
    return [given]


@pictures_of.register
def _(given: np.ndarray) -> list[Picture]:
    return [given] if given.ndim == 3 else list(given)


def name_of(picture: Picture, place: int) -> str:
    """What a picture is called in a sentence: its file, or its place among those that were given."""
    return as_text(Path(picture)) if isinstance(picture, str | Path) else f"picture {place}"


@singledispatch
def read_working(picture: Any, max_pixels: int, side: int, *, incomplete: bool = False) -> np.ndarray:
    """A file, or a picture in memory, to the working picture that transforms see: `[h, w, 3]` uint8 RGB.

    JPEG files are decoded at a fraction of their size where that is enough; a picture in memory has been decoded whole,
    and differs from its file by that much.

    Raises:
        UnreadableImage: the file is no picture that can be used.
    """
    return working_picture(Path(picture), max_pixels, side, incomplete=incomplete)


@read_working.register
def _(picture: Image.Image, max_pixels: int, side: int, *, incomplete: bool = False) -> np.ndarray:  # noqa: ARG001 - of files
    return working_from_image(upright_rgb(picture), side)


@read_working.register
def _(picture: np.ndarray, max_pixels: int, side: int, *, incomplete: bool = False) -> np.ndarray:  # noqa: ARG001 - of files
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise InputError(
            f"a picture is [H, W, 3] uint8 in RGB, and this one {list(picture.shape)} {picture.dtype}: convert it"
        )
    return working_from_image(Image.fromarray(picture), side)
