"""Names of files that are no text here: stored as something else than UTF-8, or read as something else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from animeid.errors import InputError
from animeid.system.console import as_text


def refuse_unreadable(name: str) -> None:
    """Raises:
    InputError: a name that is no text, whose file cannot be reached, or that is another one than it looks, with the
        cause: the name itself, or the locale that this process was started in.
    """
    if name.isascii():
        return
    try:
        stored = os.fsencode(name)
    except UnicodeEncodeError as error:
        raise InputError(_misread(name)) from error
    try:
        is_other = stored.decode("utf-8") != name
    except UnicodeDecodeError:
        _refuse_surrogates(name)
        return
    if is_other:
        raise InputError(_misread(as_text(Path(name))))


def _refuse_surrogates(name: str) -> None:
    """File systems allow names that are no text; Python keeps their odd bytes as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the name {as_text(Path(name))} is not UTF-8, so that no table can hold it: rename the file or folder"
        ) from error


def _misread(name: str) -> str:
    return (
        f"the name {name} is UTF-8, and names are read as {sys.getfilesystemencoding()} here: set PYTHONUTF8=1, or a "
        "locale such as LC_ALL=C.UTF-8, and start again"
    )
