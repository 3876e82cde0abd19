"""Folders of pictures: the one walk of all commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from animeid.imaging.decode import SUFFIXES
from animeid.terms import OUTPUTS

DROPPINGS = frozenset(
    {
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
        "__macosx",
        "__pycache__",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    }
)
"""Files and folders that operating systems, archives and storage servers leave, in small letters; what begins with a
dot is passed over as well: `.DS_Store`, `._1.png`, `.ipynb_checkpoints`."""

TOOLS = frozenset(
    {".git", ".svn", ".hg", ".dvc", ".github", ".idea", ".vscode", ".venv", ".cache", ".tmp", ".config", ".kaggle"}
    | {".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".huggingface", ".dropbox.cache"}
    | {".thumbnails", ".thumbs", ".comments", ".picasaoriginals", ".appledouble", ".trash", ".trashes", ".recycle"}
    | {".spotlight-v100", ".fseventsd", ".temporaryitems", ".documentrevisions-v100", ".snapshot", ".snapshots"}
    | {".stfolder", ".stversions", ".sync", ".zfs"}
)
"""Folders that begin with a dot and are known to be no character's, in small letters: `.hack` may be one's."""

TEXT_SUFFIXES = frozenset({".txt", ".xml", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".md"})
"""Endings of what is written of pictures, the answers to them among it."""


def is_dropping(name: str) -> bool:
    """Whether a file or folder of this name is none of the user's pictures."""
    return name.startswith(".") or name.lower() in DROPPINGS


def folders_in(folder: Path) -> list[Path]:
    """The folders right below, sorted; linked ones too, but not the one that runs are written to."""
    return sorted(path for entry in _entries(folder) if _is_folder(entry) and not is_outputs(path := Path(entry.path)))


def is_outputs(folder: Path) -> bool:
    """Whether it is the folder of the working one that runs are written to."""
    return folder.name == OUTPUTS and folder.is_dir() and Path(OUTPUTS).is_dir() and folder.samefile(OUTPUTS)


def hidden_in(folder: Path) -> list[Path]:
    """The folders right below that only their dot leaves out, and that have pictures right in them, sorted."""
    with os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if entry.name.startswith(".") and _is_folder(entry)]
    names = {path: path.name.lower() for path in found}
    return sorted(
        path for path in found if names[path] not in TOOLS and not names[path].startswith(".trash-") and _shows(path)
    )


def _shows(folder: Path) -> bool:
    """Whether it may be read and has pictures right in it."""
    return os.access(folder, os.R_OK | os.X_OK) and has_pictures(folder)


def files_in(folder: Path) -> list[Path]:
    """Whatever else is right below, sorted."""
    return sorted(Path(entry.path) for entry in _entries(folder) if not _is_folder(entry))


def has_pictures(folder: Path) -> bool:
    """Whether pictures are right below; the first that is found answers."""
    return any(Path(entry.name).suffix.lower() in SUFFIXES and not _is_folder(entry) for entry in _entries(folder))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if not is_dropping(entry.name))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder; a link that leads round in a circle is none, as one that leads nowhere."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def walk(folder: Path) -> Iterator[Path]:
    """Every file at any depth, droppings left out; linked folders are followed, but none is entered twice.

    Raises:
        OSError: a folder on the way may not be read.
    """
    entered = {os.path.realpath(parent) for parent in folder.absolute().parents}
    for current, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        real = os.path.realpath(current)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not is_dropping(name))
        yield from (Path(current) / name for name in sorted(files) if not is_dropping(name))


def _raise(error: OSError) -> NoReturn:
    raise error
