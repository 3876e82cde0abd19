"""Which versions answer to which names: one file, which all workers of a service follow."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.system.files import read_json, write_json

REMEMBERED = 10
"""Versions of an alias that can be gone back to."""


@dataclass(frozen=True)
class State:
    """Names and what stands behind them.

    generation: counts the changes.
    folders: of artefacts, by version.
    aliases: versions of each name, the one that answers first, then those before it.
    shadow: the version that answers beside `default`, for comparison only; None is none.
    """

    generation: int = 0
    folders: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shadow: str | None = None

    @classmethod
    def read(cls, file: Path) -> State:
        plain = read_json(file)
        aliases = {alias: tuple(versions) for alias, versions in plain["aliases"].items()}
        return cls(**{**plain, "aliases": aliases})

    def write(self, file: Path) -> None:
        write_json(file, asdict(self))

    @property
    def current(self) -> dict[str, str]:
        """The version that answers, by alias."""
        return {alias: versions[0] for alias, versions in self.aliases.items()}

    @property
    def answering(self) -> set[str]:
        """The versions that are asked, the shadow among them."""
        return {*self.current.values()} | ({self.shadow} if self.shadow else set())

    @property
    def needed(self) -> set[str]:
        """The versions that answer, and those that the names had before, to which one may want to go back at once."""
        return self.answering | {version for versions in self.aliases.values() for version in versions[1:2]}

    def switched(self, alias: str, version: str) -> State:
        """With another version behind a name, which may be new."""
        others = [other for other in self.aliases.get(alias, ()) if other != version]
        return replace(self, aliases={**self.aliases, alias: (version, *others)[:REMEMBERED]})

    def rolled_back(self, alias: str) -> State:
        """With the version before behind a name; the one that answered is forgotten there.

        Raises:
            InputError: there is no such name, or it had no version before.
        """
        versions = self.aliases.get(alias, ())
        if len(versions) < 2:
            raise InputError(f"{alias} has had no version before this one: name the version that is to answer")
        return replace(self, aliases={**self.aliases, alias: versions[1:]})


@dataclass(frozen=True)
class StateFile:
    """The state of a service whose processes take turns in changing it."""

    path: Path

    def read(self) -> State:
        return State.read(self.path)

    def stamp(self) -> Any:
        """Another one after each change."""
        stat = self.path.stat()
        return stat.st_mtime_ns, stat.st_ino

    def change(self, how: Callable[[State], State]) -> State:
        """Changes it in one step; returns what it is then."""
        with self._locked():
            state = self.read()
            changed = replace(how(state), generation=state.generation + 1)
            changed.write(self.path)
        return changed

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keeps other changes out from a change until all follow it, or it is taken back.

        Raises:
            InputError: another one is under way.
        """
        with self.path.with_suffix(".changing").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError("what answers is being changed already: wait until that has ended") from error
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
