"""Checksums of an artefact's files, in the format of `sha256sum`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath

from animeid.errors import InputError

CHECKSUMS = "checksums.txt"
LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
VERSION_DIGITS = 16
AGAIN = "export it again, or copy it again from where it came"


def seal(folder: Path) -> str:
    """Writes the checksums of everything in a folder but hidden files, and returns its version."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    named = [name for name in files if name != CHECKSUMS and not _is_hidden(name)]
    lines = [f"{_digest(folder / name)}  {name}\n" for name in named]
    text = "".join(lines)
    (folder / CHECKSUMS).write_text(text, encoding="utf-8")
    return version_of(text)


def version_of(text: str) -> str:
    """The version of an artefact with these checksums."""
    return sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def checked(folder: Path) -> tuple[Mapping[str, str], str]:
    """The sums of a folder's files by name, each of which is as it was written, and the version.

    Files that are not named are none of the artefact's, such as what a download leaves.

    Raises:
        InputError: the checksums cannot be read, or a file is missing or altered.
    """
    text = (folder / CHECKSUMS).read_bytes().decode("utf-8", "replace")
    lines = [LINE.fullmatch(line) for line in text.splitlines()]
    if not lines or None in lines:
        raise InputError(f"{folder / CHECKSUMS} is no list of checksums: {AGAIN}")
    sums = {line[2]: line[1] for line in lines if line}
    for name, expected in sums.items():
        _check(folder, name, expected)
    return sums, version_of(text)


def _check(folder: Path, name: str, expected: str) -> None:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise InputError(f"{folder / CHECKSUMS} names {name}, which is outside the artefact: {AGAIN}")
    path = folder / place
    if not path.is_file():
        raise InputError(f"the artefact {folder} lacks its file {name}: {AGAIN}")
    if _digest(path) != expected:
        raise InputError(f"{path} is not what was exported, for its checksum differs: {AGAIN}")


def _is_hidden(name: str) -> bool:
    """Whether it is a lock, or what a download keeps for itself."""
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
