"""What may teach: a finished run in PyTorch, an artefact by its engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.calls import Calls
from animeid.artefacts.engines import choose
from animeid.artefacts.pace import Pace
from animeid.artefacts.teachers import Teachers
from animeid.assembly.adjusted import leftover_of
from animeid.assembly.model import as_size, build_model, embedding_size, without_weights
from animeid.assembly.plan import FinalPlan
from animeid.engine.teacher import Member
from animeid.models.inference import InferenceModel
from animeid.models.weights import load_classifier
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.types import ModelOutput

EXACT = "float32"
"""The engine of an artefact that teaches: those that are faster may answer a little otherwise."""


class Source(Protocol):
    """A run or an artefact, before it teaches.

    path: its folder. labels: its classes in target order. leftover: `[C]`, what of the prior stands in its logits; None
    where that cannot be told. note: a sentence for the user, or "".
    """

    @property
    def path(self) -> Path: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def leftover(self) -> Tensor | None: ...

    @property
    def note(self) -> str: ...

    def member(self, columns: Tensor, offset: Tensor) -> Member:
        """It as it teaches, by the places of the student's classes among its own, `[S]`, and what their logits get."""
        ...


@dataclass(frozen=True)
class TeachingRun:
    """A finished run, which answers in the student's process and on its device."""

    folder: RunFolder

    @property
    def path(self) -> Path:
        return self.folder.path

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return SavedRun(self.folder).labels

    @cached_property
    def leftover(self) -> Tensor | None:
        return leftover_of(self.folder)

    @property
    def note(self) -> str:
        return self.folder.unfinished_note

    def member(self, columns: Tensor, offset: Tensor) -> Member:
        plan = FinalPlan.read(self.folder.config)
        model = build_model(without_weights(plan), len(self.labels))
        load_classifier(model, self.folder.best, self.labels)
        features = embedding_size(plan, model)
        inference = InferenceModel.of(model).eval().requires_grad_(False)
        return Member(inference, as_size(plan.data.image_size), columns, offset, features)


@dataclass(frozen=True)
class TeachingArtefact:
    """An artefact, whose engine answers on the processor."""

    artefact: Artefact

    @property
    def path(self) -> Path:
        return self.artefact.folder

    @property
    def labels(self) -> tuple[str, ...]:
        return self.artefact.classes

    @property
    def leftover(self) -> Tensor | None:
        told = self.artefact.prior_in_logits
        return None if told is None else torch.tensor(told)

    @property
    def note(self) -> str:
        return ""

    def member(self, columns: Tensor, offset: Tensor) -> Member:
        # As many threads as torch has: jobs beside each other share the cores by that number.
        calls = Calls.open(self.artefact, choose(self.artefact, EXACT), Pace(torch.get_num_threads(), 1))
        size = self.artefact.input.size
        network = EngineNetwork(calls)
        features = network(torch.zeros((1, 3, *size))).embedding.shape[1]
        return Member(network, size, columns, offset, features)


class EngineNetwork:
    """An artefact's network for float pictures, which its engine gets rounded to whole numbers.

    Args:
        calls: of the engine.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def to(self, device: torch.device) -> None:
        """Stays on the processor."""

    def __call__(self, image: Tensor) -> ModelOutput:
        whole = image.round().clamp(0, 255).to("cpu", torch.uint8)
        embedding, logits = self.calls(whole.permute(0, 2, 3, 1).contiguous().numpy())
        return ModelOutput(torch.from_numpy(logits).to(image.device), torch.from_numpy(embedding).to(image.device))


def sources(teachers: Teachers) -> Iterator[Source]:
    """Runs first, then artefacts, as `Teachers.paths` has them."""
    yield from map(TeachingRun, teachers.runs)
    yield from map(TeachingArtefact, teachers.artefacts)
