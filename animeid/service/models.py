"""The models that answer in this process; they follow the state that all workers share."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.service.model import Model
from animeid.service.problems import Problem
from animeid.service.state import State, StateFile
from animeid.system.console import say_error, some_of
from animeid.system.files import write_json

NAMED = 10
"""How many models a sentence names."""
TICK = 0.1
Open = Callable[[Path], Model]
"""From an artefact's folder to its model."""


@dataclass(frozen=True)
class Shelf:
    """What answers at a moment; it is replaced as a whole, so that no request sees half of a change."""

    versions: Mapping[str, Model] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    shadow: str | None = None


class Models:
    """Versions by alias; the version itself is a name too.

    A model that no name needs any more is let go, and ends with the last request that it answers.

    Args:
        file: the state.
        reports: a folder in which each worker says which generation of the state it has come to.
        open_model: opens an artefact.
    """

    def __init__(self, file: StateFile, reports: Path, open_model: Open) -> None:
        self.file, self._reports, self._open = file, reports, open_model
        self._shelf = Shelf()
        self._tried: dict[str, Model] = {}
        self._stamp: Any = None

    @property
    def aliases(self) -> Mapping[str, str]:
        """The version that answers, by alias."""
        return self._shelf.aliases

    @property
    def versions(self) -> Mapping[str, Model]:
        return self._shelf.versions

    @property
    def shadow(self) -> Model | None:
        shelf = self._shelf
        return None if shelf.shadow is None else shelf.versions[shelf.shadow]

    def find(self, name: str) -> Model:
        """The model of an alias or a version.

        Raises:
            Problem: there is none.
        """
        shelf = self._shelf
        found = shelf.versions.get(shelf.aliases.get(name, name))
        if found is None:
            raise Problem(404, f"there is no model of this name: ask for {some_of(sorted(shelf.aliases), NAMED)}")
        return found

    def names_of(self, version: str) -> list[str]:
        """The aliases of a version."""
        return sorted(alias for alias, other in self.aliases.items() if other == version)

    def begin(self) -> None:
        """Takes over the state as it is.

        Raises:
            InputError: an artefact cannot be answered by.
        """
        # Whoever changes the state from now on waits for this worker too.
        self._report(State(generation=-1), "")
        self._stamp = self.file.stamp()
        state = self.file.read()
        self._take(state, self._loaded(state, {}))

    async def follow(self) -> None:
        """Takes over each change of the state, until it is cancelled. What cannot be loaded leaves all as it was."""
        while True:
            await asyncio.sleep(TICK)
            try:
                stamp = self.file.stamp()
                if stamp != self._stamp:
                    state = self.file.read()
                    self._stamp = stamp
                    await self._follow(state)
            except OSError as error:
                say_error(f"what answers cannot be looked up: {error}")

    async def _follow(self, state: State) -> None:
        try:
            await self.prepare(state)
        # Whatever it is, the models that are there go on answering.
        except Exception as error:
            say_error(str(error))
            self._report(state, str(error) or type(error).__name__)

    async def prepare(self, state: State) -> None:
        """Loads what a state needs beside the requests, and then has it answer.

        Raises:
            InputError: an artefact cannot be answered by.
        """
        loaded = await asyncio.to_thread(self._loaded, state, {**self._tried, **self.versions})
        self._tried = {}
        self._take(state, loaded)

    async def load(self, version: str, folder: Path) -> None:
        """Tries to load an artefact, for the next state.

        Raises:
            InputError: it cannot be answered by.
        """
        if version not in self.versions:
            tried = await asyncio.to_thread(self._opened, State(folders={version: str(folder)}), version)
            self._tried = {version: tried}

    def reached(self, generation: int) -> str | None:
        """Whether all workers have come to a generation: None where one has not, else why one could not, or ""."""
        found = [json.loads(text) for file in self._reports.iterdir() if file.name.isdigit() and (text := _text(file))]
        there = [report for report in found if report["generation"] >= generation]
        errors = [report["error"] for report in there if report["error"]]
        return errors[0] if errors else "" if len(there) == len(found) else None

    def _loaded(self, state: State, there: Mapping[str, Model]) -> dict[str, Model]:
        """The models of a state. One that answers nothing now, to which one might go back, may be gone."""
        loaded = {}
        for version in sorted(state.needed):
            try:
                loaded[version] = there[version] if version in there else self._opened(state, version)
            except InputError as error:
                if version in state.answering:
                    raise
                say_error(f"nothing can be rolled back to version {version}: {error}")
        return loaded

    def _opened(self, state: State, version: str) -> Model:
        folder = Path(state.folders[version])
        model = self._open(folder)
        if model.version != version:
            raise InputError(f"{folder} holds version {model.version} now, and not {version}: put it back")
        return model

    def _take(self, state: State, loaded: Mapping[str, Model]) -> None:
        self._shelf = Shelf(loaded, state.current, state.shadow)
        self._report(state, "")

    def _report(self, state: State, error: str) -> None:
        write_json(self._reports / str(os.getpid()), {"generation": state.generation, "error": error})


def _text(file: Path) -> str:
    """What a worker said; "" where it is gone meanwhile."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
