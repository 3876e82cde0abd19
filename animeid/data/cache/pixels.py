"""Sources of working pictures: files or cache."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from animeid.data.manifest import Manifest
from animeid.data.picture_files import working_picture
from animeid.errors import InputError
from animeid.imaging.decode import UnreadableImage


class Pixels(Protocol):
    """The working pictures of a manifest."""

    def read(self, row: int) -> np.ndarray:
        """`[h, w, 3]` uint8 of a manifest row; not to be written to.

        Raises:
            InputError: the picture cannot be read any more.
        """


def string_array(values: list[str]) -> np.ndarray:
    """`[N]` strings that loader workers share with the main process.

    Workers are forks. A Python list would be copied bit by bit into every worker, since reading an element writes its
    reference count; reading from a NumPy string array makes a new string and leaves the shared pages alone.
    """
    return np.asarray(values, dtype=np.dtypes.StringDType())


class FilePixels:
    """Decodes a picture each time it is asked for.

    Args:
        manifest: whose paths are relative to its root.
        max_pixels: larger pictures are refused.
        side: the working pictures' short side.
    """

    def __init__(self, manifest: Manifest, max_pixels: int, side: int) -> None:
        self.root = manifest.root
        self.paths = string_array(manifest.table["path"].tolist())
        self.max_pixels = max_pixels
        self.side = side

    def path(self, row: int) -> Path:
        return self.root / str(self.paths[row])

    def read(self, row: int) -> np.ndarray:
        path = self.path(row)
        try:
            # What a manifest holds was taken by the run's `incomplete`.
            return working_picture(path, self.max_pixels, self.side, incomplete=True)
        except UnreadableImage as error:
            raise InputError(
                f"the picture {path} could be read when the run began and cannot be read now ({error}): "
                "put it back, or start a new run, which leaves it out"
            ) from error
