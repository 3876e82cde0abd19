"""The runs and artefacts that `teacher=` names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.config_file import is_artefact
from animeid.artefacts.hub import PREFIX, artefact_folder
from animeid.runs.folder import RunFolder
from animeid.runs.several import run_paths


@dataclass(frozen=True)
class Teachers:
    """Finished runs and artefacts that teach together, one or more."""

    runs: tuple[RunFolder, ...]
    artefacts: tuple[Artefact, ...]

    @classmethod
    def named(cls, given: str) -> Self:
        """Those of a folder, of patterns with colons between, or of `hub:USER/NAME`.

        Raises:
            InputError: one is not there, or an artefact is not what was exported.
        """
        return cls.at([artefact_folder(given)] if given.startswith(PREFIX) else run_paths(given, is_artefact))

    @classmethod
    def at(cls, paths: Iterable[Path]) -> Self:
        """Those in these folders.

        Raises:
            InputError: as `named`.
        """
        artefacts = {path: is_artefact(path) for path in paths}
        return cls(
            tuple(RunFolder.open(path) for path, is_one in artefacts.items() if not is_one),
            tuple(Artefact.load(path) for path, is_one in artefacts.items() if is_one),
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        return (*(run.path for run in self.runs), *(artefact.folder for artefact in self.artefacts))
