"""Progress with an estimate of the time left: a bar on a terminal where tqdm is installed, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import dropwhile
from threading import Event, Thread
from typing import TypeVar

from animeid.system.console import say_beside

T = TypeVar("T")

FIRST_AFTER_S = 2.0
"""Work that takes longer says how long it will."""
PLAIN_EVERY_S = 10.0


def clock(seconds: float) -> str:
    """`75` becomes `1:15`, `3675` becomes `1:01:15`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yields `items` and reports on stderr how far along the work is and when it will end."""
    if sys.stderr.isatty() and find_spec("tqdm"):
        from tqdm import tqdm

        yield from tqdm(items, total=total, desc=what, leave=False)
        return
    start = time.monotonic()
    due = start + FIRST_AFTER_S
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now >= due and done < total:
            due = now + PLAIN_EVERY_S
            left = (now - start) / done * (total - done)
            say_beside(f"{what}: {done} of {total}, {clock(left)} left")


class Steps:
    """Progress over steps of unlike length, which cannot say themselves how far they are.

    Args:
        what: all of them together.
        shares: of each step, in their order, how it compares in time to the others; a step may be left out.
    """

    def __init__(self, what: str, shares: Mapping[str, float]) -> None:
        self.what, self.shares = what, dict(shares)
        self.done = self.took = self.began = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Says that a step is under way once it has taken long, and again now and then."""
        self.began, over = time.monotonic(), Event()
        thread = Thread(target=self._tell, args=(name, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        self.done += self.shares[name]
        self.took += time.monotonic() - self.began

    def _tell(self, name: str, over: Event) -> None:
        due = FIRST_AFTER_S
        while not over.wait(due):
            due = PLAIN_EVERY_S
            place = f"{list(self.shares).index(name) + 1} of {len(self.shares)}"
            say_beside(f"{self.what}: {name}, step {place}{self.left(name, time.monotonic() - self.began)}")

    def left(self, name: str, taken: float) -> str:
        """The time left in words, by what the steps before `name` took; empty before the first has ended.

        A step that takes longer than its share lets those after it be longer too.

        Args:
            taken: seconds that the step has taken.
        """
        if not self.done:
            return ""
        _, *later = dropwhile(lambda one: one != name, self.shares)
        rate = max(self.took / self.done, (self.took + taken) / (self.done + self.shares[name]))
        own = max(rate * self.shares[name] - taken, 0.0)
        return f", about {clock(own + rate * sum(self.shares[one] for one in later))} left"
