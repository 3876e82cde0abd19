"""Pictures sorted into folders by what they were named."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from animeid.errors import InputError
from animeid.inference.output_rows import Answer
from animeid.runs.claiming import give_back
from animeid.system.lock import lock, refuse_held
from animeid.system.output import check_place

NAMES = "names.csv"
"""The file beside the folders with all answers."""
UNFINISHED = ".unfinished"
"""The folder inside that is filled first."""
LOCK = ".lock"
UNKNOWN = "unknown"
LONGEST = 240
"""Bytes of a folder's name: most disks take 255, and a number may follow."""

How = Literal["copy", "link"]
NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a disk says that has no symbolic links, as removable and shared ones."""


def is_folder(output: str) -> bool:
    """Whether `output=` asks for folders of pictures: it is one, or ends as one."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def check_folder(output: str, key: str = "output") -> Path:
    """The folder that a key names, which is not there yet, or empty but for what a kill left of the same command.

    Raises:
        InputError: something is there, another process fills it, or it cannot be made.
    """
    folder = Path(output)
    if os.path.lexists(folder) and (not folder.is_dir() or any(path.name != UNFINISHED for path in folder.iterdir())):
        raise InputError(f"{key}={output} is there already and is not overwritten: name another folder")
    refuse_held(folder / UNFINISHED / LOCK, output)
    check_place(f"{key}={output}", folder)
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


def sort(
    found: Iterator[tuple[Path, Answer]], folder: Path, how: How, unknown_below: float, names: Mapping[str, str]
) -> Iterator[Answer]:
    """Puts each picture into the folder of its likeliest name as its answer comes, and hands the answer on.

    The originals stay where they are. A picture that cannot be read is put nowhere.

    Args:
        found: pictures and their answers.
        how: whether a folder has copies, or symbolic links to the originals.
        unknown_below: the probability under which a picture goes to the folder `unknown`.
        names: the folder of each class, see `folder_names`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path, answer in found:
        if answer["names"]:
            best = answer["names"][0]
            name = UNKNOWN if best["probability"] < unknown_below else names[best["label"]]
            put(path, folder / name, how)
        yield answer


def folder_names(labels: Sequence[str]) -> dict[str, str]:
    """For each class the folder of its pictures: its name where a folder can have that, else one like it.

    No two classes share a folder, be it on a disk that takes `Miku` and `miku` for one, nor one with the pictures that
    are below `unknown_below`.
    """
    taken = {UNKNOWN, NAMES}
    plain = [label for label in labels if label == _writable(label)]
    found = {}
    for label in (*plain, *(label for label in labels if label not in set(plain))):
        base, number = _writable(label), 2
        name = base
        while name.casefold() in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name.casefold())
        found[label] = name
    return found


def _writable(label: str) -> str:
    """A class's name as one that a folder can have here: it leads nowhere else, and is no longer than disks allow."""
    name = re.sub(r"[/\\\x00]", "_", label)
    encoding = sys.getfilesystemencoding()
    name = name.encode(encoding, "backslashreplace").decode(encoding).replace("\\", "_")
    while len(name.encode()) > LONGEST:
        name = name[:-1]
    return name if name.strip(". ") else f"_{name}"


def put(path: Path, folder: Path, how: How) -> None:
    """Copies or links a picture, under a numbered name where another one has its own.

    Raises:
        InputError: this disk has no links.
    """
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 2
    while os.path.lexists(target):
        target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    if how == "link":
        _link(path, target)
        return
    shutil.copyfile(path, target)
    with suppress(OSError):  # shared and removable disks need keep neither times nor modes
        shutil.copystat(path, target)


def _link(path: Path, target: Path) -> None:
    try:
        target.symlink_to(path.resolve())
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        raise InputError(f"links cannot be made in {target.parent} ({error.strerror}): ask for sort=copy") from error
