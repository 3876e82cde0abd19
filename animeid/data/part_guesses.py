"""Guesses of which folder is which part, for what a refusal suggests to type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from animeid.data.folders import walk
from animeid.data.part_names import part_of, tokens
from animeid.terms import SPLITS

GUESSES = {
    "train": r"trn?|fit|fitting|.*train.*",
    "test": r"te|ts|tst|holdout|.*test.*",
    "val": r"va|vl|.*val.*",
}
"""What a word is like that means a part, the likelier part first: `trainval` and `train+val` are to be learnt from."""


def guessed(name: str) -> str | None:
    """The part that a folder of this name is likely to be; None where the name is like none."""
    if found := part_of(name):
        return found.part
    words = tokens(name)
    return next((part for part, like in GUESSES.items() if any(re.fullmatch(like, word) for word in words)), None)


def suggestion(folders: Sequence[Path]) -> str:
    """What to type to say which folder is which part: by their names, and where those say nothing by their size."""
    parts = _assigned({folder: guessed(folder.name) for folder in folders})
    return command({folder.name: part for folder, part in parts.items()})


def _assigned(parts: Mapping[Path, str | None]) -> dict[Path, str]:
    """A part for each folder: train is what no name says otherwise of, and the largest where all say otherwise.

    Where nothing is left to judge by, the smallest folder does that.
    """
    found = {folder: part or "train" for folder, part in parts.items()}
    by_size = sorted(parts, key=lambda folder: -sum(1 for _ in walk(folder)))
    if "train" not in found.values():
        found[by_size[0]] = "train"
    if set(found.values()) == {"train"} and None in parts.values():
        found[next(folder for folder in reversed(by_size) if parts[folder] is None)] = "test"
    return found


def command(parts: Mapping[str, str]) -> str:
    """The argument that names the folders of each part."""
    lists = {part: ",".join(_quoted(name) for name in parts if parts[name] == part) for part in SPLITS}
    given = ",".join(f"{part}:[{names}]" for part, names in lists.items() if names)
    return f"'data.parts={{{given}}}'"


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else f'"{name}"'
