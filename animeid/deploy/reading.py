"""Pictures are read by threads while the network answers those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from animeid.data.pictures import Picture, read_working
from animeid.imaging.decode import UnreadableImage
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.geometry import working_side

T = TypeVar("T")

AHEAD = 2
"""Batches that are being read while as many as there are calls are answered."""


@dataclass(frozen=True)
class Reader:
    """Reads pictures as training's evaluation does.

    transform: to what the network sees.
    max_pixels: larger pictures are refused.
    incomplete: whether pictures that lack pixels are read as far as they go.
    """

    transform: EvalTransform
    max_pixels: int
    incomplete: bool

    def __call__(self, picture: Picture) -> tuple[np.ndarray, str]:
        """`[H, W, 3]` uint8 and "", or a black picture and the reason why it cannot be read."""
        side = working_side(self.transform.image_size)
        try:
            return self.transform(read_working(picture, self.max_pixels, side, incomplete=self.incomplete)), ""
        except (UnreadableImage, OSError) as error:
            return np.zeros((*self.transform.image_size, 3), np.uint8), str(error)


def in_batches(
    pictures: Sequence[Picture],
    reader: Reader,
    answer: Callable[[np.ndarray], T],
    *,
    batch_size: int,
    readers: int,
    calls: int,
) -> Iterator[tuple[range, list[str], T]]:
    """Reads and answers pictures some at a time, in their order.

    Args:
        pictures: files or pictures in memory.
        reader: reads one.
        answer: from `[B, H, W, 3]` uint8 to their answers; is called by `calls` threads.
        batch_size: pictures that are answered together.
        readers: threads that read.
        calls: batches that are answered at the same time.

    Returns:
        Places of pictures, why each cannot be read or "", and the answers.
    """
    reading, answering = ThreadPoolExecutor(readers), ThreadPoolExecutor(calls)
    waiting: deque[tuple[range, Future[tuple[list[str], T]]]] = deque()

    def of(items: list[Future[tuple[np.ndarray, str]]]) -> tuple[list[str], T]:
        read, errors = zip(*(item.result() for item in items), strict=True)
        return list(errors), answer(np.stack(read))

    try:
        for start in range(0, len(pictures), batch_size):
            places = range(start, min(start + batch_size, len(pictures)))
            items = [reading.submit(reader, pictures[place]) for place in places]
            waiting.append((places, answering.submit(of, items)))
            if len(waiting) >= calls + AHEAD:
                first, future = waiting.popleft()
                yield first, *future.result()
        for first, future in waiting:
            yield first, *future.result()
    finally:
        # Calls wait for what is being read, so that they are given up first.
        answering.shutdown(wait=False, cancel_futures=True)
        reading.shutdown()
        answering.shutdown()
