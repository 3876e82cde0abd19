"""What a user waits for before the first line, the first result and the prompt, against importing torch and timm.

`python -m experiments.speed.startup` prints the rows alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from animeid.imaging.decode import SUFFIXES
from experiments.runs import table
from experiments.speed.pictures import write_pictures
from experiments.speed.turns import ROUNDS

HEADER = ["command", "first line, s", "what it is for, s", "last line to exit, s", "goals"]
FIRST_S, LEAVING_S = 1.0, 0.5
TINY = ("recipe=none", "model.pretrained=false", "data.num_workers=0", "trainer.max_epochs=1", "logger=none")
BARE = ("-c", "import torch, timm; print('imported')")


@dataclass(frozen=True)
class Waited:
    """Seconds from the start to the first line and to the one that the command is for, and from the last to the end."""

    first: float
    wanted: float
    leaving: float

    def better_of(self, other: Waited) -> Waited:
        return Waited(*map(min, vars(self).values(), vars(other).values()))


@dataclass(frozen=True)
class Row:
    """A command: what it is, its arguments, how the line begins that it is for, and in how many seconds it should be
    there; None without a goal."""

    what: str
    arguments: Sequence[str]
    wanted: str
    goal: float | None


def wait_for(row: Row, folder: Path) -> Waited:
    """Runs a command in a folder and notes when its lines come."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-u", *row.arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=environment,
    ) as process:
        assert process.stdout is not None
        lines = [(time.perf_counter() - began, line) for line in process.stdout]
    ended = time.perf_counter() - began
    wanted = next((when for when, line in lines if line.startswith(row.wanted)), None)
    if wanted is None:
        said = "".join(line for _, line in lines)
        raise RuntimeError(f"{row.what} said nothing that begins with {row.wanted!r}: {said}")
    return Waited(lines[0][0], wanted, ended - lines[-1][0])


def rows(pictures: Path, scratch: Path) -> list[list[str]]:
    """A row for each command, the best of `ROUNDS`: `HEADER`; `pictures` are class folders."""
    picture = next(path for path in sorted(pictures.rglob("*")) if path.suffix in SUFFIXES)
    train = ("-m", "animeid.train", f"data.root={pictures}", *TINY)
    wait_for(Row("a run to predict with", [*train, "run_id=run"], "run folder: ", None), scratch)
    found = []
    for number, row in enumerate(
        [
            Row("bare script: `import torch, timm`", BARE, "imported", None),
            Row("`train loss=focl`", ("-m", "animeid.train", "loss=focl"), "animeid: error", 1),
            Row("`train data.root=nowhere`", ("-m", "animeid.train", "data.root=nowhere"), "animeid: error", 1),
            Row(
                "`predict`, one picture",
                ("-m", "animeid.predict", "run=outputs/run", f"input={picture}"),
                str(picture),
                6,
            ),
            Row("`train`, its first epoch's line", train, "epoch 1 of 1", 10),
        ]
    ):
        waited = wait_for(row, scratch)
        for _ in range(ROUNDS - 1):
            waited = waited.better_of(wait_for(row, scratch))
        goals = "" if number == 0 else f"first {FIRST_S:g}, result {row.goal:g}, exit {LEAVING_S:g}"
        found.append(
            [row.what, *(f"{seconds:.2f}" for seconds in (waited.first, waited.wanted, waited.leaving)), goals]
        )
        print(*found[-1], sep=" | ", flush=True)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        write_pictures(Path(temporary) / "pictures", 8)
        print(table(HEADER, rows(Path(temporary) / "pictures", Path(temporary))))


if __name__ == "__main__":
    main()
