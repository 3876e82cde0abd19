"""Arrays that are written and read some rows at a time, as npy files."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from animeid.system.files import undamaged


class RowFile:
    """An npy file of `[N, D]` float32 whose rows come some at a time; `finish` writes how many they were.

    Args:
        stream: a new file, which can be gone back in.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.rows = 0
        self.width: int | None = None

    def append(self, values: np.ndarray) -> None:
        """Writes `[n, D]`.

        Raises:
            ValueError: the rows have another length than those before.
        """
        if self.width is None:
            self.width = values.shape[1]
            self._write_header()
        if values.shape[1] != self.width:
            raise ValueError(f"a row of {values.shape[1]} values cannot follow rows of {self.width}")
        self.stream.write(np.ascontiguousarray(values, np.float32).data)
        self.rows += len(values)

    def finish(self) -> None:
        """Without any rows the file is an array `[0, 0]`."""
        if self.width is None:
            self.width = 0
            self._write_header()
        self.stream.seek(0)
        self._write_header()
        self.stream.seek(0, 2)

    def _write_header(self) -> None:
        # numpy pads a header so that one with more rows is as long.
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)), "fortran_order": False}
        np.lib.format.write_array_header_1_0(self.stream, {**header, "shape": (self.rows, self.width or 0)})


def stored_rows(path: Path) -> np.ndarray:
    """The rows of a file, which stay in it until they are looked at.

    Raises:
        InputError: it is damaged or not there.
    """
    with undamaged(path):
        return np.load(path, mmap_mode="r")
