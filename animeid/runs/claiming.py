"""Names of new folders: none that is there, and none that another process takes at the same moment."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from animeid.errors import InputError


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


def unwritable(path: Path, reason: str | None) -> str:
    return f"the run folder {path} cannot be made ({reason}): start from a folder that you may write to"


def give_back(path: Path) -> None:
    """Removes a folder that was claimed and is still empty, and those above it that are empty then."""
    with suppress(OSError):
        for folder in (path, *path.parents[:2]):
            folder.rmdir()
