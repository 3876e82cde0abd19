"""An artefact that names pictures, without torch: numpy, Pillow and an engine are all that it needs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.calls import Calls
from animeid.artefacts.engines import choose
from animeid.artefacts.layout import Engine
from animeid.artefacts.pace import Pace, Remembered, candidates, cores, fastest
from animeid.data.pictures import Picture
from animeid.deploy.reading import Reader, in_batches
from animeid.imaging.evaluation import EvalTransform
from animeid.inference.namer import Namer
from animeid.predictions import Predictions
from animeid.system.progress import progress

MEASURED_FROM = 256
"""So many pictures are worth a measurement of the pace first, which takes a second or two."""
TOGETHER = 8
"""Pictures of a call; with more the layers' results leave a processor's cache."""


class Answered(NamedTuple):
    """Answers to some pictures.

    places: of the pictures among those given. errors: why each could not be read, or "". embeddings: `[B, D]` float32.
    logits: `[B, C]` float32. What cannot be read is answered as a black picture.
    """

    places: range
    errors: list[str]
    embeddings: np.ndarray
    logits: np.ndarray

    @property
    def predictions(self) -> Predictions:
        """The same, without a loss."""
        losses = np.full(len(self.places), np.nan, np.float32)
        return Predictions(np.array(self.places, np.int64), self.logits, self.embeddings, losses)


@dataclass(frozen=True, kw_only=True)
class Runtime(Namer):
    """The network of an artefact, and how it answers.

        runtime = Runtime.load("my_artefact")
        predictions = runtime("pictures/")

    artefact: what it is and what its classes are called.
    engine: what computes.
    pace: threads and batches at once; None is measured when there are many pictures, and remembered for this machine
        and artefact.
    batch_size: pictures that are answered together.
    temperature: what logits are divided by before they become probabilities.
    incomplete: whether pictures that lack pixels are answered by what there is.
    """

    artefact: Artefact
    engine: Engine
    pace: Pace | None
    batch_size: int
    temperature: float
    incomplete: bool

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        engine: str = "auto",
        pace: Pace | None = None,
        batch_size: int | Literal["auto"] = "auto",
        temperature: float | Literal["auto"] = "auto",
        incomplete: bool | None = None,
    ) -> Self:
        """Reads and checks an artefact.

        Args:
            folder: of the artefact.
            engine: a library or a precision of the artefact's; `auto` is the first that is installed, in the order in
                which the artefact prefers them.
            pace: threads and batches at once; None is what was measured on this machine.
            batch_size: pictures that are answered together; `auto` suits processors.
            temperature: of the probabilities of `names`; `auto` is the artefact's.
            incomplete: whether pictures that lack pixels are read as far as they go; None is as the run was trained.

        Raises:
            InputError: it is none, was altered, or no engine that answers it is installed.
        """
        artefact = Artefact.load(folder)
        return cls(
            artefact=artefact,
            engine=choose(artefact, engine),
            pace=pace,
            batch_size=TOGETHER if batch_size == "auto" else batch_size,
            temperature=artefact.temperature if temperature == "auto" else temperature,
            incomplete=artefact.input.incomplete if incomplete is None else incomplete,
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the logits."""
        return self.artefact.classes

    @cached_property
    def calls(self) -> Calls:
        """The network at the pace that is known: a chosen one, a measured one, or else one call on all cores."""
        pace = self.pace or self.remembered.read() or candidates(cores())[0]
        return Calls.open(self.artefact, self.engine, pace)

    @cached_property
    def remembered(self) -> Remembered:
        return Remembered.of(
            self.artefact.version, self.engine.file, self.engine.name, import_module(self.engine.name).__version__
        )

    @cached_property
    def reader(self) -> Reader:
        given = self.artefact.input
        return Reader(EvalTransform(given.size, given.crop), given.max_pixels, self.incomplete)

    def answers(self, pictures: list[Picture]) -> Iterator[tuple[Predictions, Sequence[str]]]:
        return ((batch.predictions, batch.errors) for batch in self.batches(pictures))

    def batches(self, pictures: list[Picture]) -> Iterator[Answered]:
        """Answers as they come, with progress."""
        calls = self.measured() if len(pictures) >= MEASURED_FROM else self.calls
        found = in_batches(
            pictures, self.reader, calls, batch_size=self.batch_size, readers=cores(), calls=calls.pace.calls
        )
        total = math.ceil(len(pictures) / self.batch_size)
        for places, errors, (embeddings, logits) in progress(found, total, "naming pictures"):
            yield Answered(places, errors, embeddings, logits)

    def measured(self) -> Calls:
        """The network at the fastest pace on this machine, which is measured where none is known."""
        paces = candidates(cores())
        if self.pace is None and len(paces) > 1 and self.remembered.read() is None:
            tried = np.random.default_rng(0).integers(0, 256, (TOGETHER, *self.artefact.input.size, 3), np.uint8)
            opened = {pace: Calls.open(self.artefact, self.engine, pace) for pace in paces}
            best = fastest(paces, lambda pace: lambda: opened[pace].all_at_once(tried))
            self.remembered.write(best)
            vars(self)["calls"] = opened[best]
        return self.calls
