"""Names of new folders: none that is there, and none that another process takes at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from animeid.errors import InputError
from animeid.system.lock import lock


def unused(base: Path) -> Path:
    """The path, or the first of `base-2`, `base-3` and so on that is not there."""
    return unused_number(base, 2) if base.exists() else base


def unused_number(base: Path, first: int) -> Path:
    """The first of `base-<first>`, `base-<first + 1>` and so on that is not there."""
    numbered = (base.with_name(f"{base.name}-{number}") for number in count(first))
    return next(path for path in numbered if not path.exists())


def claim(outputs: Path, now: datetime | None = None) -> Path:
    """Makes `outputs/<date>/<time>`, or where it is there `<time>-2` and so on: no other process makes the same.

    Raises:
        InputError: nothing can be made there.
    """
    now = now or datetime.now()
    base = outputs / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}"
    numbered = (base.with_name(f"{base.name}-{number}") for number in count(2))
    return next(path for path in chain([base], numbered) if _is_made(path))


def _is_made(path: Path) -> bool:
    """Whether this call made the folder; not where it is there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir()
    except FileNotFoundError:  # another process gave the day back in between
        return _is_made(path)
    except OSError as error:
        if path.exists():
            return False
        raise InputError(unwritable(path, error.strerror)) from error
    return True


@contextmanager
def alone_in(path: Path, lock_file: Path, outputs: Path, *, only_read: bool) -> Iterator[None]:
    """Makes a folder, if it is not there, and holds its lock while the block runs; one left empty is given back.

    Args:
        only_read: whether nothing need be written, so that a folder that cannot be written to needs no lock.

    Raises:
        InputError: another process holds the lock, or nothing can be made there.
    """
    with ExitStack() as held:
        held.callback(give_back, path, outputs)
        try:
            held.enter_context(lock(lock_file, str(path), removes=True))
        except OSError as error:
            if not only_read:
                raise InputError(unwritable(path, error.strerror)) from error
        yield


def unwritable(path: Path, reason: str | None) -> str:
    return f"the run folder {path} cannot be made ({reason}): start from a folder that you may write to"


def give_back(path: Path, outputs: Path) -> None:
    """Removes a folder that was claimed and is still empty, and those above it that are empty then, up to `outputs`."""
    with suppress(OSError):
        for folder in (path, *path.parents):
            folder.rmdir()
            if folder == outputs:
                return
