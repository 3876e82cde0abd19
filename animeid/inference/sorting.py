"""Pictures sorted into folders by what they were named."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from animeid.errors import InputError
from animeid.inference.output_rows import Answer
from animeid.runs.claiming import give_back
from animeid.system.lock import lock, refuse_held

NAMES = "names.csv"
"""The file beside the folders with all answers."""
UNFINISHED = ".unfinished"
"""The folder inside that is filled first."""
LOCK = ".lock"
UNKNOWN = "unknown"

How = Literal["copy", "link"]


def is_folder(output: str) -> bool:
    """Whether `output=` asks for folders of pictures: it is one, or ends as one."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def check_folder(output: str) -> Path:
    """The folder that `output=` names, which is not there yet, or empty but for what a kill left of the same command.

    Raises:
        InputError: something is there, or another process fills it.
    """
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(path.name != UNFINISHED for path in folder.iterdir())):
        raise InputError(f"output={output} is there already and is not overwritten: name another folder")
    refuse_held(folder / UNFINISHED / LOCK, output)
    return folder


@contextmanager
def filled(folder: Path) -> Iterator[Path]:
    """A folder inside of `folder`, whose content is moved up when the block ends well.

    Until then nothing looks finished; what ends the block early leaves nothing, and a kill what the same command
    replaces. It is inside, since a folder that is there already may be all that can be written to.

    Raises:
        InputError: another process fills the folder.
    """
    partial = folder / UNFINISHED
    with ExitStack() as held:
        held.callback(give_back, partial, folder)
        try:
            held.enter_context(lock(partial / LOCK, str(folder), removes=True))
        except OSError as error:
            raise InputError(
                f"output={folder} cannot be written ({error.strerror}): choose a folder that you may write to"
            ) from error
        try:
            _clear(partial)
            yield partial
            for path in sorted(_content(partial), key=lambda path: path.name == NAMES):  # the list is the last
                path.replace(folder / path.name)
        except BaseException:
            _clear(partial)
            raise


def _content(partial: Path) -> list[Path]:
    return [path for path in partial.iterdir() if path.name != LOCK]


def _clear(partial: Path) -> None:
    for path in _content(partial):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


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
