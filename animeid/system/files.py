"""Files: written so that a kill leaves no half of one, and read again."""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

from animeid.errors import InputError

DAMAGED = (ValueError, KeyError, TypeError, EOFError, zlib.error, BadZipFile)
"""What readers of JSON, CSV, Parquet and of numpy's files raise where a file is not what was written."""


@contextmanager
def atomic(path: Path, mode: str = "wb", *, before: Path | None = None) -> Iterator[IO[Any]]:
    """Opens a temporary file beside `path` and moves it there when the block ends well.

    The temporary file is on the same file system as its target, so that the move is one step. It is locked as long as
    its process lives, which tells `remove_strays` what a kill has left.

    Args:
        before: where the file that is there is moved first; a kill between the two moves leaves it alone.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open(mode, encoding=None if "b" in mode else "utf-8") as stream:
            # Some network file systems have no locks; what a kill leaves there stays.
            with suppress(OSError):
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if before is not None and path.is_file():
                path.replace(before)
            temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a write that fails knows a number only
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_strays(folder: Path) -> None:
    """Removes the temporary files of processes that were killed; those of living ones are locked and stay."""
    for stray in folder.rglob(".*.tmp"):
        with suppress(OSError), stray.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stray.unlink()


@contextmanager
def undamaged(path: Path) -> Iterator[None]:
    """Says of a file of ours that it is damaged or gone, whatever the block that reads it makes of that.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there: put back a copy of it") from error
    except DAMAGED as error:
        raise damaged(path) from error
    except OSError as error:
        if error.errno is None:  # of Arrow, by what it finds in the file
            raise damaged(path) from error
        raise


def damaged(path: Path) -> InputError:
    return InputError(f"{path} cannot be read, for it is damaged: put back a copy of it")


def read_object(path: Path) -> dict[str, Any]:
    """A dictionary that `write_json` wrote.

    Raises:
        InputError: the file is damaged or not there.
    """
    with undamaged(path):
        found = read_json(path)
    if not isinstance(found, dict):
        raise damaged(path)
    return found


def write_json(path: Path, value: Any) -> None:
    """Writes strict JSON: a NaN is a bug, since other readers refuse it."""
    with atomic(path, "w") as stream:
        json.dump(value, stream, ensure_ascii=False, indent=2, allow_nan=False)
        stream.write("\n")


def read_json(path: Path) -> Any:
    """What `write_json` wrote.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path) from error


def write_yaml(path: Path, plain: Mapping[str, Any]) -> None:
    """Writes plain values; names in any script stay readable."""
    import yaml  # what answers without torch is installed without it

    with atomic(path, "w") as stream:
        stream.write(yaml.safe_dump(dict(plain), allow_unicode=True, sort_keys=False))


def read_yaml(path: Path) -> dict[str, Any]:
    """The plain values that `write_yaml` wrote.

    Raises:
        InputError: the file holds something else.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C ten times as fast, where PyYAML was built with it
    try:
        plain = yaml.load(path.read_text(encoding="utf-8"), loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise damaged(path) from error
    if not isinstance(plain, dict):
        raise InputError(f"{path} is no configuration of a run: put back a copy of it")
    return plain
