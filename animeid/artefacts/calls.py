"""An artefact's network at a pace: threads call it, and no call has two of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Self

import numpy as np

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.engines import Call, open_calls
from animeid.artefacts.layout import Engine, Input
from animeid.artefacts.pace import Pace


@dataclass(frozen=True)
class Calls:
    """A network that `pace.calls` threads may call at the same time; a thread more waits for one of them.

    free: the calls that no thread is making.
    engine: whose they are.
    given: what the artefact's networks are given.
    pace: of the calls.
    """

    free: SimpleQueue[Call]
    engine: Engine
    given: Input
    pace: Pace

    @classmethod
    def open(cls, artefact: Artefact, engine: Engine, pace: Pace) -> Self:
        """Raises:
        InputError: the library that is installed does not read the network.
        """
        free: SimpleQueue[Call] = SimpleQueue()
        for call in open_calls(artefact, engine, pace):
            free.put(call)
        return cls(free, engine, artefact.input, pace)

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`[B, H, W, 3]` uint8 to `[B, D]` embeddings and `[B, C]` logits, both float32."""
        with self._one() as call:
            return call(pictures if self.engine.input == "uint8" else normalised(pictures, self.given))

    def all_at_once(self, pictures: np.ndarray) -> int:
        """Makes all calls at the same time, on these pictures each; returns how many were answered."""
        with ThreadPoolExecutor(self.pace.calls) as threads:
            found = list(threads.map(self, [pictures] * self.pace.calls))
        return sum(len(logits) for _, logits in found)

    @contextmanager
    def _one(self) -> Iterator[Call]:
        call = self.free.get()
        try:
            yield call
        finally:
            self.free.put(call)


def normalised(pictures: np.ndarray, given: Input) -> np.ndarray:
    """`[B, H, W, 3]` uint8 to `[B, 3, H, W]` float32, with the mean and in units of the deviation of each channel."""
    mean, std = (np.array(values, np.float32) for values in (given.mean, given.std))
    return np.ascontiguousarray(((pictures.astype(np.float32) / 255 - mean) / std).transpose(0, 3, 1, 2))
