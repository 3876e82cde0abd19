"""Pictures sorted into folders by what they were named."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from animeid.errors import InputError
from animeid.inference.output_rows import Answer

NAMES = "names.csv"
"""The file beside the folders with all answers."""
UNKNOWN = "unknown"

How = Literal["copy", "link"]


def is_folder(output: str) -> bool:
    """Whether `output=` asks for folders of pictures: it is one, or ends as one."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def check_folder(output: str) -> Path:
    """The folder that `output=` names, which is not there yet or empty.

    Raises:
        InputError: something is there.
    """
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"output={output} is there already and is not overwritten: name another folder")
    return folder


def sort(found: Iterator[tuple[Path, Answer]], folder: Path, how: How, unknown_below: float) -> Iterator[Answer]:
    """Puts each picture into the folder of its likeliest name as its answer comes, and hands the answer on.

    The originals stay where they are. A picture that cannot be read is put nowhere.

    Args:
        found: pictures and their answers.
        how: whether a folder has copies, or symbolic links to the originals.
        unknown_below: the probability under which a picture goes to the folder `unknown`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path, answer in found:
        if answer["names"]:
            best = answer["names"][0]
            name = UNKNOWN if best["probability"] < unknown_below else folder_name(best["label"])
            put(path, folder / name, how)
        yield answer


def folder_name(label: str) -> str:
    """A class's name as one that a folder can have: it leads nowhere else."""
    name = re.sub(r"[/\\\x00]", "_", label)
    return name if name.strip(". ") and name != NAMES else f"_{name}"


def put(path: Path, folder: Path, how: How) -> None:
    """Copies or links a picture, under a numbered name where another one has its own."""
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 2
    while os.path.lexists(target):
        target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    if how == "link":
        target.symlink_to(path.resolve())
    else:
        shutil.copy2(path, target)
