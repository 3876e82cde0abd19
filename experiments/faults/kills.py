"""kill -9 at random moments of a training, some of them while a file is being written."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from animeid.runs.folder import RunFolder
from experiments.faults.child import Child, start
from experiments.faults.compare import differences

WRITES_SEEN = 40
"""A kill in a write comes in one of so many that are seen first."""
LONGEST_WRITE_S = 0.01
POLL_S = 0.002


@dataclass
class Kills:
    """What came of many kills.

    places: how many kills came where, told by the files that they left. torn: half files that they left. runs: runs
    that went on to their end. unequal: what differed from the straight run. strays: what was left at the end of a run.
    refused: outputs of commands that did not go on.
    """

    places: Counter[str] = field(default_factory=Counter)
    torn: int = 0
    runs: int = 0
    unequal: list[str] = field(default_factory=list)
    strays: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return sum(self.places.values())


def half_files(folder: Path) -> list[Path]:
    """Also while the run makes and removes folders."""
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sorted(path for path in found if path.name.startswith(".") and path.suffix == ".tmp")


def place_of(folder: RunFolder) -> str:
    if not folder.has_begun:
        return "before training"
    if folder.predictions.is_file():
        return "after training"
    return "in training" if folder.last.is_file() or folder.previous.is_file() else "before the first checkpoint"


def wait_for_write(child: Child, folder: Path, chance: random.Random) -> int | None:
    """Returns in the middle of a write of some file; the exit status where the command ended first."""
    left, known = chance.randrange(WRITES_SEEN), set[Path]()
    while (status := child.poll()) is None:
        new = set(half_files(folder)) - known
        if new:
            known |= new
            left -= 1
            if left < 0:
                time.sleep(chance.uniform(0, LONGEST_WRITE_S))
                return None
        time.sleep(POLL_S)
    return status


def wait_for_moment(child: Child, longest_s: float, chance: random.Random) -> int | None:
    """Returns at a random moment; the exit status where the command ended first."""
    end = time.monotonic() + chance.uniform(0, longest_s)
    while time.monotonic() < end:
        if (status := child.poll()) is not None:
            return status
        time.sleep(POLL_S)
    return None


def kill_often(
    command: Sequence[str],
    home: Path,
    straight: RunFolder,
    number: int,
    longest_s: float,
    tmpdirs: Sequence[Path],
    report: Callable[[Kills], None],
) -> Kills:
    """Kills `command` and starts it again, over and over, and compares runs at their end with the straight one.

    The last run goes to its end undisturbed. Temporary folders take turns, a run each. `report` gets what is
    known after each run.
    """
    chance, found = random.Random(0), Kills()
    for run in count():
        folder, tmpdir = RunFolder(home / "outputs" / f"killed-{run}"), tmpdirs[run % len(tmpdirs)]
        again = [*command, f"run_id={folder.path.name}", "resume=auto"]
        status = None
        while status is None:
            child = start(again, home, tmpdir=tmpdir)
            status = one_kill(child, folder, chance, found, longest_s) if found.number < number else child.wait()
        if status:
            found.refused.append(child.output)
            break
        found.runs += 1
        found.unequal += differences(straight, folder)
        found.strays |= {f"{path.name} ({path.stat().st_size} bytes)" for path in half_files(folder.path)}
        found.strays |= {f"{path.name} in TMPDIR ({path.stat().st_size} bytes)" for path in tmpdir.iterdir()}
        shutil.rmtree(folder.path)
        print(f"{found.number} of {number} kills, {found.runs} runs at their end", flush=True)
        report(found)
        if found.number >= number:
            break
    return found


def one_kill(child: Child, folder: RunFolder, chance: random.Random, found: Kills, longest_s: float) -> int | None:
    """Kills once and notes where; the exit status where the command ended before."""
    if chance.random() < 0.5:
        status = wait_for_write(child, folder.path, chance)
    else:
        status = wait_for_moment(child, longest_s, chance)
    if status is None:
        os.kill(child.pid, signal.SIGKILL)
        status = child.wait()
        if status == 128 + signal.SIGKILL:
            found.places[place_of(folder)] += 1
            found.torn += len(half_files(folder.path))
            return None
    return status
