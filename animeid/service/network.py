"""An artefact's network behind the event loop: threads answer pictures, some at a time or one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from animeid.artefacts.calls import Calls
from animeid.artefacts.pace import Pace, fastest
from animeid.deploy.runtime import TOGETHER, Runtime

T = TypeVar("T")
REPEATS = 4
"""How often a way answers within a round of measuring, so that a round of small networks is long enough."""
CLEARLY = 1.15
"""Calls of one thread each give way only to what is so many times as fast, for that is measured with idle decoders:
threads of one call wait for one another, and longer beside decoders."""


@dataclass(frozen=True)
class Way:
    """How pictures are answered.

    threads: of a call of the network. calls: at the same time. together: pictures of a call, at most.
    """

    threads: int
    calls: int
    together: int

    @property
    def pace(self) -> Pace:
        return Pace(self.threads, self.calls)

    def told(self) -> str:
        pictures = "one picture each" if self.together == 1 else f"up to {self.together} pictures each"
        return f"{self.calls} x {self.threads} thread{'s' if self.threads > 1 else ''}, {pictures}"


def ways(cores: int) -> list[Way]:
    """The ways worth measuring, first a call of one thread on each core; then one call of all cores on several."""
    return [Way(1, cores, 1), Way(cores, 1, TOGETHER)]


def quickest(runtime: Runtime, choices: Sequence[Way]) -> Way:
    """The way that answers most pictures a second on this machine, measured in turn; the first unless it is clear."""
    pictures = np.random.default_rng(0).integers(0, 256, (TOGETHER, *runtime.artefact.input.size, 3), np.uint8)

    def trial(way: Way) -> Callable[[], int]:
        calls = Calls.open(runtime.artefact, runtime.engine, way.pace)
        return lambda: sum(
            calls.all_at_once(pictures[: way.together]) for _ in range(REPEATS * TOGETHER // way.together)
        )

    return fastest(choices, trial, clearly=CLEARLY)


@dataclass
class Waiting:
    """A picture that waits for the network.

    picture: `[H, W, 3]` uint8.
    then: makes its answer of the embedding `[D]` and the logits `[C]`, in the network's thread.
    future: the answer.
    """

    picture: np.ndarray
    then: Callable[[np.ndarray, np.ndarray], Any]
    future: asyncio.Future[Any]


class Network:
    """Answers pictures in threads, `way.calls` times at once; what waits meanwhile is answered together.

    Args:
        calls: of the network.
        way: how many of them, and how many pictures each takes.
    """

    def __init__(self, calls: Calls, way: Way) -> None:
        self._calls, self._way = calls, way
        self._threads = ThreadPoolExecutor(way.calls, "network")
        self._free = way.calls
        self._waiting: deque[Waiting] = deque()

    async def __call__(self, picture: np.ndarray, then: Callable[[np.ndarray, np.ndarray], T]) -> T:
        """The answer to `[H, W, 3]` uint8; `then` makes it of the embedding `[D]` and the logits `[C]`, in a thread."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(picture, then, future))
        self._begin()
        return await future

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        while self._free and self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._way.together, len(self._waiting)))]
            self._free -= 1
            loop.run_in_executor(self._threads, self._answered, batch).add_done_callback(partial(self._end, batch))

    def _answered(self, batch: list[Waiting]) -> list[Any]:
        embeddings, logits = self._calls(np.stack([one.picture for one in batch]))
        return [one.then(*pair) for one, *pair in zip(batch, embeddings, logits, strict=True)]

    def _end(self, batch: list[Waiting], done: asyncio.Future[list[Any]]) -> None:
        self._free += 1
        error = done.exception()
        for place, one in enumerate(batch):
            if one.future.done():  # nobody waits for it any more
                continue
            if error is not None:
                one.future.set_exception(error)
            else:
                one.future.set_result(done.result()[place])
        self._begin()
