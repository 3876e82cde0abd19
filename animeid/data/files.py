"""Unlabelled picture files by path or pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from animeid.data.folders import DROPPINGS, TEXT_SUFFIXES, walk
from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES
from animeid.system.console import as_text, counted, say_beside
from animeid.system.names import refuse_address


def find_pictures(given: str) -> list[Path]:
    """The files that a path or pattern means, sorted.

    A file is taken whatever its name; a folder gives all files below it, found as training finds them, but for texts
    beside pictures, of which it is said how many were left out; anything else is a glob pattern (`**` goes into
    sub-folders), of which what operating systems leave is taken only where the pattern names it.

    Raises:
        InputError: nothing is there, or a folder on the way may not be read.
    """
    with _readable(given):
        files = list(_files(given))
    found = sorted(path for path, is_text in files if not is_text)
    if not found:
        raise _nothing_at(given)
    if texts := sorted(path for path, is_text in files if is_text):
        told = counted(len(texts), "text file", "were")
        say_beside(f"{told} left out of input={as_text(Path(given))}, such as {as_text(texts[0])}")
    return found


def check_pictures(given: str) -> None:
    """Looks as `find_pictures` does, up to the first that is no text.

    Raises:
        InputError: nothing is there, or a folder on the way may not be read.
    """
    with _readable(given):
        if all(is_text for _, is_text in _files(given)):
            raise _nothing_at(given)


@contextmanager
def _readable(given: str) -> Iterator[None]:
    """Says of a folder on the way that it may not be read."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{as_text(Path(error.filename or given))}, which input={as_text(Path(given))} leads to, cannot be read "
            f"({error.strerror}): allow reading it"
        ) from error


def _files(given: str) -> Iterator[tuple[Path, bool]]:
    """Files, and whether each is a text beside the pictures of a folder."""
    refuse_address("input", given)
    path = Path(given)
    if path.is_file():
        yield path, False
    elif path.is_dir():
        # A link that leads nowhere is kept: what cannot be read is told, as in training.
        yield from ((file, file.suffix.lower() in TEXT_SUFFIXES) for file in walk(path))
    else:
        yield from ((file, False) for file in _matching(given))


def _nothing_at(given: str) -> InputError:
    path = Path(given)
    if path.is_dir():
        ending = f"a folder with pictures ({', '.join(sorted(SUFFIXES))})"
    else:
        ending = "a file, a folder or a quoted pattern such as 'pictures/*.jpg'"
    return InputError(f"no picture is found at input={as_text(path)}: give {ending}")


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
