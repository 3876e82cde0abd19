"""Unlabelled picture files by path or pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from animeid.data.folders import DROPPINGS, walk
from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES
from animeid.system.console import as_text


def find_pictures(given: str) -> list[Path]:
    """The files that a path or pattern means, sorted.

    A file is taken whatever its name; a folder gives all files below it whose names end as pictures' do, found as
    training finds them; anything else is a glob pattern (`**` goes into sub-folders), of which what operating systems
    leave is taken only where the pattern names it.

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
        # A link that leads nowhere is kept: what cannot be read is told, as in training.
        found = [file for file in walk(path) if file.suffix.lower() in SUFFIXES]
        ending = f"a folder with pictures ({', '.join(sorted(SUFFIXES))})"
    else:
        found = _matching(given)
        ending = "a file, a folder or a quoted pattern such as 'pictures/*.jpg'"
    if not found:
        raise InputError(f"no picture is found at input={as_text(path)}: give {ending}")
    return sorted(found)


def _matching(pattern: str) -> list[Path]:
    """The files of a glob, each once though links lead to its folder on several ways."""
    # A pattern finds names that begin with a dot only where it says the dot.
    left = {name for name in Path(pattern).parts if name.lower() in DROPPINGS}
    paths = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    return _each_once(
        path for path in paths if path.is_file() and not DROPPINGS & {name.lower() for name in {*path.parts} - left}
    )


def _each_once(paths: Iterable[Path]) -> list[Path]:
    first: dict[Path, Path] = {}
    for path in sorted(paths, key=lambda path: (len(path.parts), path)):
        first.setdefault(Path(os.path.realpath(path.parent)) / path.name, path)
    return list(first.values())
