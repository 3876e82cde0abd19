"""A model that is compared: what it must be able to do, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

Kind = Literal["run", "artefact"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a model is.

    kind: a run's folder or an artefact. network: timm's name of it. engine: library and precision that answer.
    device: where. image_size: (H, W) of what it sees. parameters: that were learnt. multiply_adds: of one picture; None
    where they cannot be counted. size_mb: megabytes of the files that answering needs.
    """

    kind: Kind
    network: str
    engine: str
    device: str
    image_size: tuple[int, int]
    parameters: int
    multiply_adds: int | None
    size_mb: float


class Contender(Protocol):
    """A model that answers and can be measured.

    What answers returns when the answers are there, be the device a GPU or not.
    """

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of what it sees."""

    @property
    def facts(self) -> Facts: ...

    def answer(self, pixels: np.ndarray) -> np.ndarray:
        """Resized pictures `[B, H, W, 3]` uint8 to logits `[B, C]`, as fast as one caller can have them."""

    def answer_many(self, pixels: np.ndarray) -> None:
        """The same, as fast as many callers can have them."""

    def answer_files(self, paths: Sequence[Path]) -> np.ndarray:
        """Files to logits `[B, C]`: read, resized and answered, as prediction does it."""
