"""Folders of parts: which folders below a root are train, val, test and unknown rather than characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from animeid.data.folders import folders_in, has_pictures
from animeid.data.part_names import PartName, part_of, says_nothing
from animeid.data.settings import PartWord
from animeid.errors import InputError
from animeid.system.console import some_of
from animeid.terms import SPLITS

NAMED = 5
"""How many folders a sentence names at most."""

AS_CHARACTERS = "data.parts=off takes them for characters"


def home_of(root: Path) -> Path:
    """Where an archive's folder, or two, lie round the folders that count: the first folder below with several."""
    below = folders_in(root)
    while len(below) == 1 and not has_pictures(root) and not part_of(below[0].name) and _holds_folders(below[0]):
        root, below = below[0], folders_in(below[0])
    return root


def classes_home(folder: Path) -> Path:
    """The folder of a part's classes: `seg_train/seg_train` where archives were unpacked, `train/images`."""
    below = folders_in(folder)
    while len(below) == 1 and not has_pictures(folder) and _is_wrapping(below[0], folder.name):
        folder, below = below[0], folders_in(below[0])
    return folder


def _is_wrapping(folder: Path, outer: str) -> bool:
    """Whether it lies round classes rather than being one."""
    return (folder.name == outer or says_nothing(folder.name) or part_of(folder.name) is not None) and _holds_folders(
        folder
    )


def given_parts(root: Path, given: Mapping[PartWord, Sequence[str]]) -> dict[Path, str]:
    """The folders that `data.parts` names.

    Raises:
        InputError: one is not there, or is named twice, or none is for training.
    """
    found: dict[Path, str] = {}
    for part, names in given.items():
        for name in names:
            folder = root / name
            if not folder.is_dir():
                there = some_of([below.name for below in folders_in(root)], NAMED)
                raise InputError(f"data.parts.{part} names {name}, and {root} has no such folder: it has {there}")
            if folder in found:
                raise InputError(f"data.parts names {name} for {found[folder]} and for {part}: leave one out")
            found[folder] = part
    if "train" not in found.values():
        raise InputError("data.parts names no folder for train: add one, such as data.parts={train:[FOLDER]}")
    return found


def named_parts(root: Path, folders: Sequence[Path]) -> dict[Path, str]:
    """The folders whose names say that they are parts; none where the folders are characters.

    Raises:
        InputError: they look like parts, and their names do not say which is which.
    """
    groups: dict[frozenset[str], dict[Path, PartName]] = {}
    for folder in folders:
        if name := part_of(folder.name):
            groups.setdefault(name.rest, {})[folder] = name
    sets = [group for group in groups.values() if _are_parts(group, folders)]
    chosen = sets[0] if len(sets) == 1 else groups.get(frozenset(), {}) if sets else {}
    if not chosen:
        if sets:
            raise _which(root, [folder for group in sets for folder in group])
        _refuse_parts_without_train(root, folders)
        return {}
    counts = Counter((name.part, name.numbers) for name in chosen.values())
    if max(counts.values()) > 1:
        raise _which(root, list(chosen))
    return {folder: name.part for folder, name in chosen.items()}


def _are_parts(group: Mapping[Path, PartName], folders: Sequence[Path]) -> bool:
    """Whether one of them holds classes to train on, and it has company or an unmistakable name."""
    others = [name for name in group.values() if name.part not in ("train", "unknown")]
    return any(
        _holds_folders(folder)
        for folder, name in group.items()
        if name.part == "train" and (others or folder.name == "train" or len(folders) == 1)
    ) or any(folder.name == "train" and folders_in(folder) for folder in group)


def parts_of_classes(root: Path, classes: Sequence[Path]) -> dict[Path, dict[Path, str]]:
    """The parts inside each class, where every class folder holds nothing else: `miku/train`, `miku/test`.

    Raises:
        InputError: what holds the parts is no class, but a data set of its own.
    """
    found: dict[Path, dict[Path, str]] = {}
    for folder in classes:
        below = folders_in(folder)
        names = [part_of(inner.name) for inner in below]
        if has_pictures(folder) or not any(name and name.part == "train" for name in names) or None in names:
            return {}
        found[folder] = {inner: name.part for inner, name in zip(below, names, strict=True) if name}
    if any(_holds_folders(inner) for parts in found.values() for inner in parts):
        raise InputError(
            f"{root} has the folders {some_of([folder.name for folder in classes], NAMED)}, each with parts of its "
            f"own, so that each looks like a data set: give one of them, such as data.root={classes[0]}"
        )
    return found


def refuse_equal_folders(root: Path, folders: Sequence[Path]) -> None:
    """Raises:
    InputError: the folders hold nothing but sub-folders of equal names, as parts do, and folds.
    """
    if len(folders) < 2 or any(has_pictures(folder) for folder in folders):
        return
    names = [{below.name for below in folders_in(classes_home(folder))} for folder in folders]
    common, every = set.intersection(*names), set.union(*names)
    if len(common) < 2 or any(len(some) < len(every) / 2 for some in names):
        return
    example = some_of(sorted(common), 2)
    raise InputError(
        f"the folders of {root}, {some_of([folder.name for folder in folders], NAMED)}, hold nothing but folders of "
        f"equal names ({example}), as parts do: say which is which with {_command([folder.name for folder in folders])}"
        f"; {AS_CHARACTERS}"
    )


def _refuse_parts_without_train(root: Path, folders: Sequence[Path]) -> None:
    """Folders that look like parts would be learnt as characters called Val and Test."""
    names = {folder.name: name for folder in folders if (name := part_of(folder.name)) and _holds_folders(folder)}
    rest, count = Counter(name.rest for name in names.values()).most_common(1)[0] if names else (None, 0)
    if count > 1:
        parts = [folder for folder, name in names.items() if name.rest == rest]
        raise InputError(
            f"{root} has the folders {', '.join(parts)}, which look like parts, but no 'train': name them "
            f"{', '.join(SPLITS)}, say which is which with {_command(parts)}, or give one of them as data.root to "
            f"split it anew; {AS_CHARACTERS}"
        )


def _which(root: Path, folders: Sequence[Path]) -> InputError:
    names = [folder.name for folder in folders]
    return InputError(
        f"{root} has the folders {', '.join(names)}, which look like parts, and several could be the same one: say "
        f"which is which with {_command(names)}; {AS_CHARACTERS}"
    )


def _command(names: Sequence[str]) -> str:
    """An example of what to type."""
    quoted = [name if name.isidentifier() and name.isascii() else f'"{name}"' for name in names]
    return f"'data.parts={{train:[{','.join(quoted[:-1])}],test:[{quoted[-1]}]}}'"


def _holds_folders(folder: Path) -> bool:
    """Whether it holds folders, and no picture beside them."""
    return not has_pictures(folder) and bool(folders_in(folder))
