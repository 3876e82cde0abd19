"""Unlabelled picture files by path or pattern."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import NoReturn

from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES
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
