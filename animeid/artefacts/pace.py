"""How an engine works on this machine: with how many threads, and on how many batches at once."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from animeid.errors import InputError
from animeid.system.files import read_json, write_json
from animeid.system.home import default_cache
from animeid.system.machine import usable_cores

P = TypeVar("P", bound=Hashable)

LIMIT = "OMP_NUM_THREADS"
"""The variable by which a user sets the threads of all commands."""
ROUNDS = 2
"""Each pace is measured so often, in turn; the best time counts, since other programs only make it longer."""


@dataclass(frozen=True)
class Pace:
    """threads: of a call of the network. calls: that are made at the same time, on a batch each."""

    threads: int
    calls: int


def cores() -> int:
    """Cores that may be used: what machine, container and user allow."""
    asked = os.environ.get(LIMIT, "")
    return min(usable_cores(), int(asked)) if asked.isdigit() and int(asked) else usable_cores()


def candidates(number: int) -> list[Pace]:
    """The paces worth measuring on so many cores; the first answers one picture soonest."""
    shared = [Pace(2, number // 2)] if number >= 4 else []
    return list(dict.fromkeys([Pace(number, 1), *shared, Pace(1, number)]))


def fastest(paces: Sequence[P], trial: Callable[[P], Callable[[], int]], *, clearly: float = 1.0) -> P:
    """The pace that answers most pictures a second.

    Args:
        paces: to choose from, or whatever else a trial understands.
        trial: makes a pace ready; what it returns answers some pictures at that pace, and says how many.
        clearly: the first is taken unless another one is so many times as fast.
    """
    trials = {pace: trial(pace) for pace in paces}
    for run in trials.values():
        run()  # the first answers of a session are slower
    rates = dict.fromkeys(paces, 0.0)
    for _ in range(ROUNDS):
        for pace, run in trials.items():
            began = time.perf_counter()
            rates[pace] = max(rates[pace], run() / (time.perf_counter() - began))
    best = max(paces, key=rates.__getitem__)
    return best if rates[best] >= clearly * rates[paces[0]] else paces[0]


@dataclass(frozen=True)
class Remembered:
    """A measured pace in the user's cache folder, where that can be; without it, it is measured again.

    file: named by artefact, engine and machine.
    """

    file: Path

    @classmethod
    def of(cls, *facts: str | int) -> Remembered:
        """Of an artefact's version, its engine and whatever else decides, on this machine."""
        key = sha256("\n".join(map(str, (*facts, *_machine()))).encode()).hexdigest()[:16]
        return cls(default_cache() / "paces" / f"{key}.json")

    def read(self) -> Pace | None:
        """None where nothing is remembered, or nothing that can be read."""
        with suppress(OSError, InputError, TypeError, KeyError):
            found = read_json(self.file)
            pace = Pace(found["threads"], found["calls"])
            if all(type(value) is int and value >= 1 for value in asdict(pace).values()):
                return pace
        return None

    def write(self, pace: Pace) -> None:
        with suppress(OSError):  # a home that cannot be written to only means measuring again
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.file, asdict(pace))


def _machine() -> Iterator[str]:
    yield from (platform.node(), platform.machine(), _processor(), str(cores()))


def _processor() -> str:
    """What the processor is called; Linux tells it in a file only."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next((line for line in lines if line.startswith("model name")), "")
    return platform.processor()
