"""The runs and artefacts that `teacher=` names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.config_file import is_artefact
from animeid.artefacts.teacher_folders import teacher_folders
from animeid.runs.folder import RunFolder


@dataclass(frozen=True)
class Teachers:
    """Finished runs and artefacts that teach together, one or more."""

    runs: tuple[RunFolder, ...]
    artefacts: tuple[Artefact, ...]

    @classmethod
    def named(cls, given: str) -> Self:
        """Those of `teacher_folders`.

        Raises:
            InputError: one is not there, or an artefact is not what was exported.
        """
        return cls.at(teacher_folders(given))

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
