"""Sources of pictures: class folders, folders of parts, a manifest file, the built-in cast."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from animeid.data.class_notes import NAMED, class_notes, folders_round, without_runs
from animeid.data.columns import unread_notes
from animeid.data.folders import TEXT_SUFFIXES, files_in, folders_in, is_outputs, walk
from animeid.data.manifest import Manifest, complete, read_manifest
from animeid.data.part_folders import (
    classes_home,
    given_parts,
    home_of,
    named_parts,
    parts_of_classes,
    refuse_equal_folders,
    refuse_parts_as_classes,
    refuse_parts_without_classes,
    refuse_unnamed,
)
from animeid.data.root import find_root
from animeid.data.settings import DataSettings, PartWord
from animeid.data.styles import column_to_read, is_named
from animeid.data.synthetic.settings import CastSettings
from animeid.data.tables import SUFFIXES as MANIFEST_SUFFIXES
from animeid.data.tables import column_names
from animeid.errors import InputError
from animeid.imaging.decode import SUFFIXES
from animeid.system.console import counted, some_of
from animeid.system.names import refuse_unreadable
from animeid.terms import OUTPUTS, SPLITS

ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"})
"""Endings of packed folders."""


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
        if settings.parts is not None:
            raise InputError("data.parts names folders of data.root: give data.root=FOLDER, or leave data.parts out")
        return _built_in_cast(settings)
    root = find_root(settings.root)
    if root.is_dir():
        if settings.attributes:
            raise InputError(
                f"data.attributes needs a manifest that has those columns, but {root} is a folder: "
                "give data.root=MANIFEST.csv"
            )
        if is_named(settings.style_column):
            raise InputError(
                f"data.style_column={settings.style_column} needs a manifest that has that column, but {root} is a "
                "folder: give data.root=MANIFEST.csv"
            )
        return _folder(root, settings.parts)
    if settings.parts is not None:
        raise InputError(f"data.parts names folders of data.root, but {root} is none: leave data.parts out")
    if root.is_file() and root.suffix.lower() in MANIFEST_SUFFIXES:
        style = column_to_read(settings.style_column)
        manifest = read_manifest(root, settings.attributes, style=style)
        if manifest.table.empty:
            raise InputError(f"the manifest {root} has no rows: list at least two classes of pictures in it")
        unread = unread_notes(column_names(root), root, {style, *manifest.attributes})
        once, repeated = listed_once(manifest)
        return Source(once, notes=(*unread, *repeated))
    way_on = "unpack it first, and give the folder" if root.suffix.lower() in ARCHIVES else "give one of them"
    raise InputError(f"data.root={settings.root} is neither a folder nor a CSV or Parquet manifest: {way_on}")


def listed_once(manifest: Manifest) -> tuple[Manifest, list[str]]:
    """Leaves out rows that are there already word for word, and says so."""
    again = manifest.table.duplicated()
    if not again.any():
        return manifest, []
    example = manifest.table["path"][again].iloc[0]
    rows = counted(int(again.sum()), "row")
    note = f"{rows} left out that the manifest has already, word for word, such as that of {example}"
    return replace(manifest, table=manifest.table[~again].reset_index(drop=True)), [note]


def _built_in_cast(settings: DataSettings) -> Source:
    from animeid.data.synthetic.build import MANIFEST, build_cast

    folder = build_cast(settings.cast or CastSettings())
    drawn = f"no data.root is given: the pictures are the built-in cast, drawn in {folder}"
    style = column_to_read(settings.style_column)
    return Source(read_manifest(folder / MANIFEST, settings.attributes, style=style), notes=(drawn,))


def _folder(root: Path, parts: Mapping[PartWord, Sequence[str]] | Literal["off"] | None) -> Source:
    try:
        source = _listed(root, parts)
    except OSError as error:
        raise InputError(
            f"the folder {error.filename} cannot be listed ({error.strerror}): allow reading it"
        ) from error
    if not len(source.manifest.table):
        raise InputError(f"the folder {root} has no pictures: put each class's pictures into a folder named after it")
    if source.manifest.table["label"].nunique() < 2:
        for found in (file for folder in folders_in(root) for file in lists_in(folder)):
            raise InputError(
                f"{root} has fewer than two class folders, but a list of pictures: give the list, data.root={found}"
            )
    notes = [f"{file} is there but not read: give it as data.root to use it" for file in lists_in(root)]
    return Source(source.manifest, source.skipped, (*source.notes, *notes))


def lists_in(folder: Path) -> list[Path]:
    """Files of a folder that may be manifests, such as the `metadata.csv` of a data set for Hugging Face."""
    return [file for file in files_in(folder) if file.suffix.lower() in MANIFEST_SUFFIXES]


def _listed(root: Path, parts: Mapping[PartWord, Sequence[str]] | Literal["off"] | None) -> Source:
    """The pictures of a folder, by the parts that the user names, or else its folders' names."""
    if parts == "off":
        return _class_folders(root, root, split="")
    if parts is not None:
        return _folder_of_parts(root, folders_in(root), given_parts(root, parts))
    home = home_of(root)
    folders = folders_in(home)
    told: list[str] = []
    if named := named_parts(home, folders):
        refuse_parts_without_classes(root, named)
        source = _folder_of_parts(root, folders, named)
    elif inner := parts_of_classes(home, folders):
        refuse_unnamed(home, folders)
        source = _parts_of_classes(root, inner)
    else:
        refuse_equal_folders(home, folders)
        told = refuse_parts_as_classes(home, folders)
        if home != root:
            raise InputError(
                f"{root} holds nothing but one folder, and the folders in it may be the characters: give "
                f"data.root={home} if they are"
            )
        source = _class_folders(root, root, split="")
    notes = [f"the folders of {root} are taken from {home}"] if home != root else []
    return Source(source.manifest, source.skipped, (*notes, *told, *source.notes))


def _folder_of_parts(root: Path, folders: Sequence[Path], parts: Mapping[Path, str]) -> Source:
    sources = []
    for folder, part in parts.items():
        if part == "unknown":
            sources.append(_listing(root, [(path, "", "unknown") for path in walk(folder)], []))
        else:
            sources.append(_class_folders(root, classes_home(folder), part))
    train = next(folder for folder, part in parts.items() if part == "train")
    read = {folder for part in parts for folder in (part, *part.parents)}
    others = [folder.name for folder in folders if folder not in read]
    notes = []
    if others:
        notes.append(
            f"folders beside {train} that are not read: {some_of(others, NAMED)} (parts are {', '.join(SPLITS)})"
        )
    if told := [f"{folder.name} is {part}" for folder, part in parts.items() if folder.name != part]:
        notes.insert(0, f"taken as parts: {', '.join(told)} (data.parts=off takes them for characters)")
    return _joined(root, sources, notes)


def _parts_of_classes(root: Path, classes: Mapping[Path, Mapping[Path, str]]) -> Source:
    rows = [
        (path, "" if part == "unknown" else _label(folder), part)
        for folder, parts in classes.items()
        for inner, part in parts.items()
        for path in walk(inner)
    ]
    names = sorted({inner.name for parts in classes.values() for inner in parts})
    note = f"taken as parts inside each class: {', '.join(names)} (data.parts=off mixes them)"
    return _joined(root, [_listing(root, rows, [])], [note])


def _joined(root: Path, sources: Sequence[Source], notes: Sequence[str]) -> Source:
    table = pd.concat([source.manifest.table for source in sources], ignore_index=True)
    skipped = [item for source in sources for item in source.skipped]
    own = [note for source in sources for note in source.notes]
    return Source(Manifest(table, root), tuple(skipped), (*notes, *own))


def _class_folders(root: Path, folder: Path, split: str) -> Source:
    rows: list[tuple[Path, str, str]] = []
    loose = [path for path in files_in(folder) if path.suffix.lower() in SUFFIXES]
    classes = folders_in(folder)
    if loose and not classes:
        listed = f", or give the list that lies there, data.root={lists[0]}" if (lists := lists_in(folder)) else ""
        raise InputError(
            f"{folder} holds pictures but no class folders: put each class's pictures into a folder named after it"
            + listed
        )
    aside: dict[str, list[Path]] = {}
    within: dict[str, list[str]] = {}
    runs = [OUTPUTS] if is_outputs(folder / OUTPUTS) else []
    for path in classes:
        files, inside = without_runs(list(walk(path)))
        if inside and not any(file.suffix.lower() in SUFFIXES for file in files):
            runs.append(path.name)
            continue
        runs += [run.relative_to(folder).as_posix() for run in inside]
        if not files and split in ("", "train"):
            raise InputError(f"the class folder {path} has no pictures: add some or remove the folder")
        if files and all(file.suffix.lower() in TEXT_SUFFIXES for file in files):
            aside[path.name] = files
        elif files:
            rows += [(file, _label(path), split) for file in files]
            within[path.name] = folders_round(path, files)
    skipped = [(path, "not in a class folder") for path in loose]
    skipped += [(file, "not a picture") for files in aside.values() for file in files]
    source = _listing(root, rows, skipped)
    return Source(source.manifest, source.skipped, tuple(class_notes(folder, list(aside), within, runs)))


def _label(folder: Path) -> str:
    return unicodedata.normalize("NFC", folder.name)


def _listing(root: Path, rows: list[tuple[Path, str, str]], skipped: list[tuple[Path, str]]) -> Source:
    for path in (*(path for path, _, _ in rows), *(path for path, _ in skipped)):
        refuse_unreadable(str(path))
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
