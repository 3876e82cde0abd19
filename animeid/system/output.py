"""Checks of output paths."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from animeid.errors import InputError


def check_output(output: str | None, endings: Sequence[str]) -> Path | None:
    """The file that `output=` names, which is not there yet; None where nothing was named.

    Raises:
        InputError: another ending, a file that is there already, or a folder that is missing or cannot be written to.
    """
    if output is None:
        return None
    path = Path(output)
    if path.suffix not in endings:
        raise InputError(f"output={output} does not end in {' or '.join(endings)}: name such a file")
    if path.exists():
        raise InputError(f"output={output} is there already and is not overwritten: name another file")
    if not path.parent.is_dir():
        raise InputError(f"the folder of output={output} is not there: make {path.parent} first")
    _try_to_write(f"output={output}", path.parent)
    return path


def check_place(named: str, folder: Path) -> None:
    """Tries the nearest folder that is there already of one that is to be made.

    Args:
        named: the folder as the user gave it, `output=sorted/`.

    Raises:
        InputError: a file is in the way, or nothing can be written there.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        raise InputError(f"{named} cannot be made, since {there} is a file: name another folder")
    _try_to_write(named, there)


def _try_to_write(named: str, folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"{named} cannot be written ({error.strerror}): choose a folder that you may write to"
        ) from error
