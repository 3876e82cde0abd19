"""The open connections of a worker, of which there are only so many; those that keep it waiting make room."""

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
"""So many have no place and wait to be told so, or how the service is; further ones are closed without a word."""
OTHER_FILES = 192
"""Files that a worker has open besides connections: decoders, artefacts, logs, and whatever libraries open."""
PATIENCE = 1.0
"""Seconds for which a connection has its place whatever it does, and once more for what it sends after a head."""


Awaited = Literal["head", "body"]
"""What a connection has not sent to its end."""


class Closable(Protocol):
    """A connection."""

    def make_room(self) -> None:
        """Closes it, which has not asked anything to the end."""


@dataclass
class Crowd:
    """Who has a place, and who of them has kept the service waiting for longest: for a head first, then for a body.

    most: connections that have a place.
    now: seconds of a clock that never goes back.
    """

    most: int
    now: Callable[[], float] = time.monotonic
    _placed: set[Closable] = field(default_factory=set)
    _waited: dict[Awaited, dict[Closable, float]] = field(default_factory=lambda: {"head": {}, "body": {}})

    def __len__(self) -> int:
        return len(self._placed)

    def enter(self, connection: Closable) -> bool:
        """Gives a connection a place, where need be that of one that has kept the service waiting for longest."""
        if len(self._placed) >= self.most and not self._make_room():
            return False
        self._placed.add(connection)
        self.awaits(connection, "head")
        return True

    def awaits(self, connection: Closable, what: Awaited | None) -> None:
        """Notes what is awaited from a connection; one that sends half of it still lets wait."""
        for kind, waited in self._waited.items():
            if kind != what:
                waited.pop(connection, None)
            elif connection in self._placed:
                waited.setdefault(connection, self.now())

    def leave(self, connection: Closable) -> None:
        self._placed.discard(connection)
        self.awaits(connection, None)

    def _make_room(self) -> bool:
        for waited in self._waited.values():
            longest = next(iter(waited), None)
            if longest is not None and self.now() - waited[longest] >= PATIENCE:
                self.leave(longest)
                longest.make_room()
                return True
        return False


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
