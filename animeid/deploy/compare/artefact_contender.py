"""An artefact as a model that is compared; it needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from animeid.artefacts.artefact import ONNX, WEIGHTS
from animeid.artefacts.calls import Calls
from animeid.artefacts.pace import Pace
from animeid.artefacts.tensors import shapes_in
from animeid.deploy.compare.contender import Facts
from animeid.deploy.compare.onnx_cost import multiply_adds
from animeid.deploy.runtime import Runtime

NOT_LEARNT = ("running_mean", "running_var", "num_batches_tracked")
"""What names of tensors end in that are counted while a network learns."""


@dataclass(frozen=True)
class ArtefactContender:
    """Answers by the runtime.

    runtime: one call on all threads, which answers one caller soonest. many: a call on each thread, for many callers.
    """

    runtime: Runtime
    many: Calls

    @classmethod
    def open(cls, path: Path, threads: int) -> Self:
        """Raises:
        InputError: it is no artefact, was altered, or no engine that answers it is installed.
        """
        runtime = Runtime.load(path, pace=Pace(threads, 1))
        return cls(runtime, Calls.open(runtime.artefact, runtime.engine, Pace(1, threads)))

    @property
    def path(self) -> Path:
        return self.runtime.artefact.folder

    @property
    def image_size(self) -> tuple[int, int]:
        return self.runtime.artefact.input.size

    @cached_property
    def facts(self) -> Facts:
        artefact, engine = self.runtime.artefact, self.runtime.engine
        return Facts(
            kind="artefact",
            network=" + ".join(artefact.architectures),
            engine=f"{engine.name}, {engine.precision}",
            device="cpu",
            image_size=self.image_size,
            parameters=sum(_learnt(self.path / network["folder"] / WEIGHTS) for network in artefact.own["networks"]),
            multiply_adds=multiply_adds(self.path / ONNX),
            size_mb=_bytes(self.path / engine.file) / 1e6,
        )

    def answer(self, pixels: np.ndarray) -> np.ndarray:
        return self.runtime.calls(pixels)[1]

    def answer_many(self, pixels: np.ndarray) -> None:
        parts = np.array_split(pixels, self.many.pace.calls)
        with ThreadPoolExecutor(self.many.pace.calls) as threads:
            list(threads.map(self.many, [part for part in parts if len(part)]))

    def answer_files(self, paths: Sequence[Path]) -> np.ndarray:
        with ThreadPoolExecutor(self.many.pace.calls) as threads:
            read = list(threads.map(self.runtime.reader, paths))
        return self.answer(np.stack([pixels for pixels, _ in read]))


def _learnt(weights: Path) -> int:
    return sum(math.prod(shape) for name, (_, shape) in shapes_in(weights).items() if not name.endswith(NOT_LEARNT))


def _bytes(path: Path) -> int:
    """Of a network's file, and of what lies beside it under the same name, as OpenVINO's weights do."""
    files = (
        path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.stem}.*") if path.suffix == ".xml" else [path]
    )
    return sum(file.stat().st_size for file in files if file.is_file())
