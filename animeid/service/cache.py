"""Answers that are kept for a while, and answers that are on their way."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    value: T
    size: int
    until: float


class Cache(Generic[T]):
    """The answers that were asked for last.

    Args:
        entries: at most; 0 keeps nothing.
        size: of all values together, in bytes.
        seconds: after which a value is forgotten.
        size_of: bytes of a value.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        entries: int,
        size: int,
        seconds: float,
        size_of: Callable[[T], int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.entries, self.size, self.seconds, self.size_of, self.now = entries, size, seconds, size_of, now
        self.used = 0
        self._kept: OrderedDict[Hashable, Kept[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> T | None:
        """The value, which then counts as the one that was asked for last."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found.until <= self.now():
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return found.value

    def put(self, key: Hashable, value: T) -> None:
        """Keeps a value; those that were asked for longest ago make room. One that is too large alone is not kept."""
        if key in self._kept:
            self._forget(key)
        size = self.size_of(value)
        if size > self.size or self.entries == 0:
            return
        self._kept[key] = Kept(value, size, self.now() + self.seconds)
        self.used += size
        while len(self._kept) > self.entries or self.used > self.size:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        self.used -= self._kept.pop(key).size


class Shared(Generic[T]):
    """Work that several ask for at the same time is done once, and ends when it is done, whoever has left."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._tasks

    def join(self, key: Hashable) -> Awaitable[T]:
        """The result of what is on its way."""
        return asyncio.shield(self._tasks[key])

    def begin(self, key: Hashable, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Begins the work; what it raises, all who wait are told."""
        task = self._tasks[key] = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._end(key, done))
        return asyncio.shield(task)

    def _end(self, key: Hashable, done: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not done.cancelled():
            done.exception()  # perhaps nobody waits for it any more, which is no reason for a warning
