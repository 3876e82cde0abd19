"""Where engines are tried: the same pictures for all of them, beside the answers of PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from animeid.artefacts.engines import ENGINES, Call
from animeid.artefacts.layout import Engine
from animeid.artefacts.pace import Pace
from animeid.deploy.compare.figures import Reading
from animeid.deploy.compare.timing import Times, measure
from animeid.deploy.parity.agreement import Agreement, EngineAnswers
from animeid.deploy.parity.gate import Gate
from animeid.deploy.parity.pictures import ParityPictures
from animeid.deploy.runtime import TOGETHER
from animeid.system.progress import progress
from animeid.system.turns import Work

ROUNDS = 3
SECONDS = 0.5
"""Of each engine in a round."""
ONE = "one picture"

Measure = Callable[[Sequence[Mapping[str, Work]], int, float], list[dict[str, Times]]]


@dataclass(frozen=True)
class Candidate:
    """A network's file in an engine. path: where the file lies now; `engine.file` is its name in the artefact."""

    way: str
    path: Path
    engine: Engine


@dataclass(frozen=True)
class Bench:
    """Pictures, and what PyTorch answered.

    pixels: `[K, H, W, 3]` uint8, as the runtime reads the pictures. reference: of PyTorch, from the same files by its
    own reader. num_classes: C. pace: of all engines. measure: times works in turn.
    """

    pictures: ParityPictures
    pixels: np.ndarray
    reference: EngineAnswers
    num_classes: int
    pace: Pace
    gate: Gate = field(default_factory=Gate)
    measure: Measure = measure

    def open(self, one: Candidate) -> Call:
        return ENGINES[one.engine.name](one.path, one.engine.precision, self.pace)[0]

    def agreement(self, one: Candidate) -> Agreement:
        """With PyTorch, on all pictures."""
        call = self.open(one)
        parts = np.array_split(self.pixels, -(-len(self.pixels) // TOGETHER))
        found = [call(part) for part in progress(parts, len(parts), f"{one.way} in {one.engine.name} answers")]
        answers = EngineAnswers(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))
        return Agreement.of(answers, self.reference, self.pictures, self.num_classes)

    def seconds(self, candidates: Sequence[Candidate]) -> list[Reading]:
        """Of one picture, measured in turn; an interval reaches from the fastest round to the slowest."""
        picture = self.pixels[:1]
        works = [{ONE: partial(self.open(candidate), picture)} for candidate in candidates]
        return [times[ONE].median for times in self.measure(works, ROUNDS, SECONDS)]
