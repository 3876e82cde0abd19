"""Checks of output paths."""

from __future__ import annotations

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
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(
            f"output={output} cannot be written ({error.strerror}): choose a folder that you may write to"
        ) from error
    return path
