"""Names of files: `~` and variables in them, and those that are no text here, stored or read as something else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from animeid.errors import InputError
from animeid.system.console import as_text


def expanded(key: str, path: str) -> str:
    """A path with `~`, `~user` and variables written out; one that is there as it is written means itself.

    Raises:
        InputError: nobody knows that user, or the home of this one.
    """
    if os.path.lexists(path):
        return path
    found = os.path.expandvars(os.path.expanduser(path))  # noqa: PTH111 - a pattern need be no path
    if path.startswith("~") and found.startswith("~"):
        told = "a user that is not known here" if path.split("/")[0] != "~" else "~, and no home is known here"
        raise InputError(f"{key}={path} begins with {told}: write the whole path")
    return found


def refuse_address(key: str, path: str) -> None:
    """Raises:
    InputError: an address on the net, where a path is taken.
    """
    if "://" in path and not os.path.lexists(path):
        raise InputError(f"{key}={path} is an address: download what is there first, and give its folder")


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
