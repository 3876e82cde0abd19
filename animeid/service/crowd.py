"""The open connections of a worker, of which there are only so many: slow clients cost nobody else the service."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from animeid.errors import InputError

MOST = 4096
"""Connections of a worker that chooses for itself, where it may open so many files."""
REFUSED_AT_ONCE = 64
"""So many may be waiting to be told that there is no place; further ones are closed without a word."""
OTHER_FILES = 192
"""Files that a worker has open besides connections: decoders, artefacts, logs, and whatever libraries open."""
PATIENCE = 1.0
"""Seconds for which a connection has its place, whether it asks something or not."""


class Closable(Protocol):
    """A connection."""

    def make_room(self) -> None:
        """Closes it, which asks nothing."""


@dataclass
class Crowd:
    """Who has a place, and who of them has waited longest for something to be asked.

    most: connections that have a place.
    now: seconds of a clock that never goes back.
    """

    most: int
    now: Callable[[], float] = time.monotonic
    _placed: set[Closable] = field(default_factory=set)
    _silent: dict[Closable, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._placed)

    def enter(self, connection: Closable) -> bool:
        """Gives a connection a place, where need be that of one that has asked nothing for longest."""
        if len(self._placed) >= self.most and not self._make_room():
            return False
        self._placed.add(connection)
        self.is_silent(connection, True)
        return True

    def is_silent(self, connection: Closable, silent: bool) -> None:
        """Notes whether a request is awaited from a connection; one that sends half of its head still lets wait."""
        if not silent:
            self._silent.pop(connection, None)
        elif connection in self._placed:
            self._silent.setdefault(connection, self.now())

    def leave(self, connection: Closable) -> None:
        self._placed.discard(connection)
        self._silent.pop(connection, None)

    def _make_room(self) -> bool:
        longest = next(iter(self._silent), None)
        if longest is None or self.now() - self._silent[longest] < PATIENCE:
            return False
        self.leave(longest)
        longest.make_room()
        return True


def most_connections(wanted: int | Literal["auto"], files: int) -> int:
    """How many connections a worker may keep.

    Args:
        wanted: of the user.
        files: that a process may have open.

    Raises:
        InputError: it may not have so many.
    """
    there = files - OTHER_FILES - REFUSED_AT_ONCE
    if wanted == "auto":
        return max(1, min(MOST, there))
    if wanted > there:
        raise InputError(
            f"connections={wanted} needs {wanted + OTHER_FILES + REFUSED_AT_ONCE} open files, and a process may have "
            f"{files}: take at most {max(there, 1)}, or raise the limit (ulimit -n)"
        )
    return wanted


def open_files() -> int:
    """How many files a process may have open, once it asks for all that it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**31 if most == resource.RLIM_INFINITY else most
