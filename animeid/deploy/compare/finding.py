"""The models that a pattern means: finished runs and artefacts, which must be of the same classes and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.config_file import is_artefact
from animeid.errors import InputError
from animeid.runs.comparison import check_comparable
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import MULTIRUN_RECORD, RunFolder
from animeid.runs.patterns import paths_of
from animeid.runs.several import is_whole
from animeid.system.console import say_beside, some_of

NAMED = 3
"""Folders that a sentence names."""


@dataclass(frozen=True)
class Found:
    """Models in the order of the pattern; each of them is one of the two."""

    models: tuple[FinishedRun | Artefact, ...]

    @property
    def runs(self) -> list[FinishedRun]:
        return [model for model in self.models if isinstance(model, FinishedRun)]

    @property
    def artefacts(self) -> list[Artefact]:
        return [model for model in self.models if isinstance(model, Artefact)]


def folders_of(pattern: str) -> list[Path]:
    """The folders of a pattern, or of several with colons between them; of a multirun's those of its jobs."""
    found: dict[Path, Path] = {}
    for path in paths_of(pattern):
        jobs = (path / MULTIRUN_RECORD).is_file()
        for one in sorted(path.glob("[!.]*")) if jobs else [path]:
            if one.is_dir():
                found.setdefault(one.resolve(), one)
    return list(found.values())


def find_models(pattern: str) -> Found:
    """The runs and artefacts of a pattern; folders that are neither are left out, which is said.

    Raises:
        InputError: there is none, or they may not be compared.
    """
    folders = folders_of(pattern)
    models: list[FinishedRun | Artefact] = []
    others = []
    for path in folders:
        run = RunFolder(path)
        if is_artefact(path):
            models.append(Artefact.load(path))
        elif is_whole(run):
            models.append(FinishedRun.of(run))
        else:
            others.append(str(path))
    if not models:
        raise InputError(
            f"models={pattern} finds neither a finished run with its checkpoint nor an artefact: give a quoted pattern "
            "of their folders, such as 'models=outputs/four_models/*'"
        )
    if others:
        say_beside(f"left out, as neither finished runs with checkpoints nor artefacts: {some_of(others, NAMED)}")
    found = Found(tuple(models))
    if found.runs:
        check_comparable(found.runs)
    check_alike(found.models)
    return found


def check_alike(models: Sequence[FinishedRun | Artefact]) -> None:
    """Raises:
    InputError: an artefact is of other classes than the first model, or of a run on other pictures.
    """
    first = models[0]
    for other in models[1:]:
        if isinstance(first, FinishedRun) and isinstance(other, FinishedRun):
            continue  # theirs is the rule of runs
        if classes_of(other) != classes_of(first):
            raise InputError(
                f"{folder_of(other)} has other classes than {folder_of(first)}, so that their figures cannot be "
                "compared: give models of one data set"
            )
        if fingerprint_of(other) != fingerprint_of(first):
            raise InputError(
                f"{folder_of(other)} was trained and judged on other pictures than {folder_of(first)}, so that their "
                "figures cannot be compared: give models of the same data, split_seed and fold"
            )


def classes_of(model: FinishedRun | Artefact) -> tuple[str, ...]:
    return model.labels if isinstance(model, FinishedRun) else model.classes


def folder_of(model: FinishedRun | Artefact) -> Path:
    return model.folder.path if isinstance(model, FinishedRun) else model.folder


def fingerprint_of(model: FinishedRun | Artefact) -> str | None:
    """That of content, label and split of all pictures."""
    facts = model.environment if isinstance(model, FinishedRun) else model.own["data"]
    return facts.get("data_fingerprint", facts.get("fingerprint"))
