"""Sources of pictures: class folders, folders of parts, a manifest file, the built-in cast."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pandas as pd

from animeid.data.manifest import SUFFIXES as MANIFEST_SUFFIXES
from animeid.data.manifest import Manifest, complete, read_manifest
from animeid.data.root import find_root
from animeid.data.settings import DataSettings
from animeid.data.synthetic.settings import CastSettings
from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES
from animeid.system.console import as_text
from animeid.terms import SPLITS

DROPPINGS = frozenset({"thumbs.db", "desktop.ini"})
"""Files that operating systems leave in folders; those with a leading dot are passed over as well."""


@dataclass(frozen=True)
class Source:
    """What was found before any picture is opened: a manifest without sizes and hashes, files left out, notes.

    skipped: pairs of a path below root and the reason.
    """

    manifest: Manifest
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def read_source(settings: DataSettings) -> Source:
    """Lists the pictures of `settings.root`, or of the built-in cast.

    Raises:
        InputError: nothing usable is there.
    """
    if settings.root is None:
        return _built_in_cast(settings)
    root = find_root(settings.root)
    if root.is_dir():
        if settings.attributes:
            raise InputError(
                f"data.attributes needs a manifest that has those columns, but {root} is a folder: "
                "give data.root=MANIFEST.csv"
            )
        return _folder(root)
    if root.is_file() and root.suffix.lower() in MANIFEST_SUFFIXES:
        manifest = read_manifest(root, settings.attributes)
        if manifest.table.empty:
            raise InputError(f"the manifest {root} has no rows: list at least two classes of pictures in it")
        return Source(manifest)
    raise InputError(f"data.root={settings.root} is neither a folder nor a CSV or Parquet manifest: give one of them")


def _built_in_cast(settings: DataSettings) -> Source:
    from animeid.data.synthetic.build import MANIFEST, build_cast

    folder = build_cast(settings.cast or CastSettings())
    return Source(read_manifest(folder / MANIFEST, settings.attributes))


def _folder(root: Path) -> Source:
    folders = _folders(root)
    if any(folder.name == "train" and _folders(folder) for folder in folders):
        source = _folder_of_parts(root, folders)
    else:
        _refuse_parts_without_train(root, folders)
        source = _class_folders(root, root, split="")
    if not len(source.manifest.table):
        raise InputError(f"the folder {root} has no pictures: put each class's pictures into a folder named after it")
    unread = sorted(file.name for file in _files(root) if file.suffix.lower() in MANIFEST_SUFFIXES)
    notes = [f"{root / name} is there but not read: give it as data.root to use it" for name in unread]
    return Source(source.manifest, source.skipped, (*source.notes, *notes))


def _refuse_parts_without_train(root: Path, folders: list[Path]) -> None:
    """Folders that look like parts would be learnt as characters called Train and Test."""
    parts = [folder.name for folder in folders if folder.name.lower() in SPLITS and _folders(folder)]
    if len(parts) > 1:
        raise InputError(
            f"{root} has the folders {', '.join(parts)}, which look like parts, but no 'train': name them "
            f"{', '.join(SPLITS)}, in small letters, or give one of them as data.root to split it anew"
        )


def _folder_of_parts(root: Path, folders: list[Path]) -> Source:
    sources = []
    for folder in folders:
        if folder.name == "unknown":
            sources.append(_listing(root, [(path, "", "unknown") for path in _walk(folder)], []))
        elif folder.name in SPLITS:
            sources.append(_class_folders(root, folder, folder.name))
    others = [folder.name for folder in folders if folder.name not in SPLITS]
    notes = []
    if others:
        listed = ", ".join(others[:5])
        notes.append(
            f"folders beside {root / 'train'} that are not read: {listed} (parts are named {', '.join(SPLITS)})"
        )
    table = pd.concat([source.manifest.table for source in sources], ignore_index=True)
    skipped = [item for source in sources for item in source.skipped]
    return Source(Manifest(table, root), tuple(skipped), tuple(notes))


def _class_folders(root: Path, folder: Path, split: str) -> Source:
    rows: list[tuple[Path, str, str]] = []
    loose = [path for path in _files(folder) if path.suffix.lower() in SUFFIXES]
    classes = _folders(folder)
    if loose and not classes:
        raise InputError(
            f"{folder} holds pictures but no class folders: put each class's pictures into a folder named after it"
        )
    for path in classes:
        label = unicodedata.normalize("NFC", path.name)
        found = [(file, label, split) for file in _walk(path)]
        if not found and split in ("", "train"):
            raise InputError(f"the class folder {path} has no pictures: add some or remove the folder")
        rows += found
    return _listing(root, rows, [(path, "not in a class folder") for path in loose])


def _listing(root: Path, rows: list[tuple[Path, str, str]], skipped: list[tuple[Path, str]]) -> Source:
    for path in (*(path for path, _, _ in rows), *(path for path, _ in skipped)):
        if not _is_text(path):
            raise InputError(
                f"the name {as_text(path)} is not UTF-8, so that no table can hold it: rename the file or folder"
            )
    frame = pd.DataFrame(
        {
            "path": [path.relative_to(root).as_posix() for path, _, _ in rows],
            "label": [label for _, label, _ in rows],
            "split": [split for _, _, split in rows],
        },
        dtype=str,
    )
    left_out = tuple((path.relative_to(root).as_posix(), reason) for path, reason in skipped)
    return Source(Manifest(complete(frame), root), left_out)


def _is_text(path: Path) -> bool:
    """File systems allow names that are no text; Python keeps their odd bytes as lone surrogates."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in _entries(folder) if path.is_dir())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in _entries(folder) if not path.is_dir())


def _entries(folder: Path) -> Iterator[Path]:
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        _refuse_unlisted(error)
    return (entry for entry in entries if not _ignored(entry.name))


def _refuse_unlisted(error: OSError) -> NoReturn:
    raise InputError(f"the folder {error.filename} cannot be listed ({error.strerror}): allow reading it") from error


def _ignored(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX" or name.lower() in DROPPINGS


def _walk(folder: Path) -> Iterator[Path]:
    """Every file at any depth; linked folders are followed, but none is entered twice."""
    entered = {os.path.realpath(parent) for parent in folder.absolute().parents}
    for current, folders, files in os.walk(folder, onerror=_refuse_unlisted, followlinks=True):
        real = os.path.realpath(current)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not _ignored(name))
        yield from (Path(current) / name for name in sorted(files) if not _ignored(name))
