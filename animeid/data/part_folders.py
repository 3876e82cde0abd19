"""Folders of parts: which folders below a root are train, val, test and unknown rather than characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from animeid.data.folders import folders_in, has_pictures
from animeid.data.part_guesses import command, suggestion
from animeid.data.part_names import PartName, is_about_pictures, part_of, says_nothing
from animeid.data.settings import PartWord
from animeid.errors import InputError
from animeid.system.console import some_of
from animeid.terms import SPLITS

NAMED = 5
"""How many folders a sentence names at most."""

AS_CHARACTERS = "data.parts=off takes them for characters"
NO_NAMES = "are named as pictures and what is told of them, not as characters"


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
        InputError: what holds the parts is no class, but a data set of its own, or only some classes have parts.
    """
    found = {folder: parts for folder in classes if (parts := _inner_parts(folder))}
    if any(_holds_folders(inner) for parts in found.values() for inner in parts):
        raise InputError(
            f"{root} has the folders {some_of([folder.name for folder in found], NAMED)}, each with parts of its "
            f"own, so that each looks like a data set: give one of them, such as data.root={next(iter(found))}"
        )
    without = [folder.name for folder in classes if folder not in found]
    if not without:
        return found
    mixed = [folder for folder in classes if len(_part_words(folder)) > 1]
    if mixed:
        inside = some_of([inner.name for inner in folders_in(mixed[0])], NAMED)
        raise InputError(
            f"classes of {root} have parts inside, as {mixed[0].name} has {inside}, but others hold something else: "
            f"{some_of(without, NAMED)}: give every class such folders and nothing beside them, or data.parts=off, "
            "which mixes them and splits anew"
        )
    return {}


def _part_words(folder: Path) -> set[str]:
    """The parts that folders in it are named after, if one of them is for training."""
    words = {name.part for inner in folders_in(folder) if (name := part_of(inner.name)) and not name.rest}
    return words if "train" in words else set()


def _inner_parts(folder: Path) -> dict[Path, str]:
    """The parts inside a class folder, one of them for training; none where it holds anything else."""
    names = {inner: part_of(inner.name) for inner in folders_in(folder)}
    found = {inner: name.part for inner, name in names.items() if name}
    return found if len(found) == len(names) and "train" in found.values() and not has_pictures(folder) else {}


def refuse_parts_as_classes(root: Path, folders: Sequence[Path]) -> list[str]:
    """What to say of classes that are named as parts are.

    Raises:
        InputError: all are, so that there is no class.
    """
    names = {folder: name for folder in folders if (name := part_of(folder.name))}
    plain = [folder for folder, name in names.items() if not name.rest]
    is_one_set = len({name.rest for name in names.values()}) == 1
    differ = len({name.part for name in names.values()}) > 1 or len(plain) == len(folders)
    if 1 < len(folders) == len(names) and is_one_set and differ:
        loose = next((folder for folder in folders if has_pictures(folder)), folders[0])
        raise InputError(
            f"the folders of {root}, {some_of([folder.name for folder in folders], NAMED)}, are named as parts are, "
            f"and {loose.name} holds pictures that are in no class folder: put each class's pictures into a folder "
            f"named after it, such as {loose.name}/NAME; {AS_CHARACTERS}"
        )
    if not plain:
        return []
    told = some_of([folder.name for folder in plain], NAMED)
    return [f"named as parts are, and taken for characters: {told} (data.parts says which folders are parts)"]


def refuse_parts_without_classes(root: Path, parts: Mapping[Path, str]) -> None:
    """Raises:
    InputError: what should be the classes of a part are folders round them, or pictures and what is told of them.
    """
    for part in (folder for folder, name in parts.items() if name != "unknown"):
        folders = folders_in(classes_home(part))
        if example := _equal(folders):
            reason = f"hold nothing but folders of equal names ({example})"
        elif _are_no_names(folders):
            reason = NO_NAMES
        else:
            continue
        inner = next((folder for folder in folders if says_nothing(folder.name)), folders[0]).name
        homes = {(folder / inner).relative_to(root).as_posix(): name for folder, name in parts.items()}
        raise InputError(
            f"the folders of {part}, {some_of([folder.name for folder in folders], NAMED)}, {reason}: say where the "
            f"class folders are, such as {command(homes)}; what data.parts names has nothing but characters in it"
        )


def refuse_unnamed(root: Path, folders: Sequence[Path]) -> None:
    """Raises:
    InputError: the folders are named as pictures and what is told of them.
    """
    if _are_no_names(folders):
        inner = next(folder for folder in folders if says_nothing(folder.name))
        raise InputError(
            f"the folders of {root}, {some_of([folder.name for folder in folders], NAMED)}, {NO_NAMES}: put each "
            f"class's pictures into a folder named after it, and give data.root={inner} where they are so; "
            f"{AS_CHARACTERS}"
        )


def _are_no_names(folders: Sequence[Path]) -> bool:
    """Whether folders are called `images` and `masks` rather than as characters are."""
    names = [folder.name for folder in folders]
    is_aside = all(says_nothing(name) or is_about_pictures(name) for name in names)
    return len(names) > 1 and is_aside and any(map(says_nothing, names))


def refuse_equal_folders(root: Path, folders: Sequence[Path]) -> None:
    """Raises:
    InputError: the folders hold nothing but sub-folders, and those have equal names, as those of parts and folds do;
        or they are named as no character is.
    """
    refuse_unnamed(root, folders)
    if not (example := _equal(folders)):
        return
    raise InputError(
        f"the folders of {root}, {some_of([folder.name for folder in folders], NAMED)}, hold nothing but folders of "
        f"equal names ({example}), as parts do: say which is which with {suggestion(folders)}; {AS_CHARACTERS}"
    )


def _equal(folders: Sequence[Path]) -> str:
    """Two of the names that sub-folders of all these folders have, if those hold nothing else; "" where they do."""
    if len(folders) < 2 or any(has_pictures(folder) for folder in folders):
        return ""
    names = [{below.name for below in folders_in(classes_home(folder))} for folder in folders]
    common, every = set.intersection(*names), set.union(*names)
    if len(common) < 2 or any(len(some) < len(every) / 2 for some in names):
        return ""
    return some_of(sorted(common), 2)


def _refuse_parts_without_train(root: Path, folders: Sequence[Path]) -> None:
    """Folders that look like parts would be learnt as characters called Val and Test."""
    names = {folder: name for folder in folders if (name := part_of(folder.name)) and _holds_folders(folder)}
    rest, count = Counter(name.rest for name in names.values()).most_common(1)[0] if names else (None, 0)
    if count > 1:
        parts = [folder for folder, name in names.items() if name.rest == rest]
        raise InputError(
            f"{root} has the folders {', '.join(part.name for part in parts)}, which look like parts, but no 'train': "
            f"name them {', '.join(SPLITS)}, say which is which with {suggestion(parts)}, or give one of them as "
            f"data.root to split it anew; {AS_CHARACTERS}"
        )


def _which(root: Path, folders: Sequence[Path]) -> InputError:
    return InputError(
        f"{root} has the folders {', '.join(folder.name for folder in folders)}, which look like parts, and several "
        f"could be the same one: say which is which with {suggestion(folders)}; {AS_CHARACTERS}"
    )


def _holds_folders(folder: Path) -> bool:
    """Whether it holds folders, and no picture beside them."""
    return not has_pictures(folder) and bool(folders_in(folder))
