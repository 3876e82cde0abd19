"""Home of the cache of pixels and fingerprints."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from animeid.system.console import say
from animeid.system.home import can_keep, default_cache

KEPT_DAYS = 60
"""What no run has opened for so long is removed by the next one that writes."""


STORED = frozenset({".npy", ".npz", ".pixels"})
"""Endings of what is kept."""


def cache_home(chosen: str) -> Path | None:
    """The folder that `data.cache` means; None for `off`, and for `auto` where nothing can be kept, which is said."""
    if chosen == "off":
        return None
    if chosen != "auto":
        return Path(chosen)
    home = default_cache()
    if home.exists() or can_keep(home):
        return home
    _say_once(f"pictures are decoded anew each time, for {home} cannot be written: name another folder in data.cache")
    return None


@contextmanager
def lent(home: Path | None) -> Iterator[Path]:
    """A folder that reads as this cache does, takes what would be written to it, and is removed with that.

    Args:
        home: the cache's folder; None for an empty one.
    """
    with TemporaryDirectory(prefix="animeid-cache-") as folder:
        if home is not None:
            _link(home, Path(folder))
        yield Path(folder)


def _link(home: Path, folder: Path) -> None:
    """Links what a cache keeps into another folder; there need be nothing."""
    for file in home.rglob("*"):
        if file.suffix in STORED and not file.name.startswith("."):
            link = folder / file.relative_to(home)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file.resolve())


@cache
def _say_once(sentence: str) -> None:
    say(sentence)


def is_forgotten(path: Path) -> bool:
    """Whether no run has opened this file for long; those that do, touch it. One that is gone is removed already."""
    try:
        return time.time() - path.stat().st_mtime > KEPT_DAYS * 86400
    except FileNotFoundError:
        return False
