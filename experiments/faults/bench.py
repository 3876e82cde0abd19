"""A folder in which faults are tried, and what is written down of each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from animeid.runs.folder import RunFolder
from experiments.faults.child import Before, run
from experiments.faults.compare import differences
from experiments.faults.pictures import write_pictures

TRAIN = (
    "train",
    "data.root=pictures",
    "data.image_size=32",
    "data.batch_size=4",
    "data.num_workers=0",
    "data.val_ratio=0.2",
    "data.test_ratio=0.2",
    "recipe=none",
    "keep=all",
    "model.name=test_resnet.r160_in1k",
    "model.pretrained=false",
    "augment=basic",
    "trainer.max_epochs=6",
    "trainer.precision=32-true",
)
TOLD = re.compile(r"^(?:animeid: error: |WARNING: |W&B: )(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A line of the table.

    sentence: what the command said. status: its exit status. resumed, equal: whether the run went on afterwards, and
    ended as the straight one; None where there is nothing to go on with.
    """

    fault: str
    how: str
    sentence: str
    status: int
    resumed: bool | None = None
    equal: bool | None = None
    is_as_expected: bool = True


@dataclass
class Bench:
    """The folder, with pictures and a run that nothing disturbs."""

    home: Path
    rows: list[Row] = field(default_factory=list)

    def prepare(self) -> None:
        write_pictures(self.home / "pictures")
        self.straight("straight")

    def straight(self, name: str, *arguments: str) -> float:
        """A run that nothing disturbs; the seconds that it took."""
        began = time.monotonic()
        status, output = run([*TRAIN, *arguments, f"run_id={name}"], self.home)
        assert status == 0, output
        return time.monotonic() - began

    def folder(self, name: str) -> RunFolder:
        return RunFolder(self.home / "outputs" / name)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        verdict = "as expected" if row.is_as_expected else "NOT AS EXPECTED"
        print(f"{row.fault}: {row.how}: status {row.status}, {verdict}: {row.sentence}", flush=True)

    def cut(
        self,
        fault: str,
        how: str,
        status: int,
        before: Before,
        *arguments: str,
        repair: Callable[[], None] | None = None,
        says: str,
    ) -> None:
        """A fault in the middle of a run, which then goes on without it."""
        name = f"cut-{len(self.rows)}"
        command = [*TRAIN, *arguments, f"run_id={name}", "resume=auto"]
        found, output = run(command, self.home, before=before)
        if repair is not None:
            repair()
        again, _ = run(command, self.home)
        self._add_run(fault, how, found, output, name, again == 0, found == status and says in told(output))

    def damage(self, fault: str, how: str, before: Before, harm: Callable[[RunFolder], None], *, says: str) -> None:
        """Something happens to the files of a run that was cut off, which then goes on."""
        name = f"cut-{len(self.rows)}"
        command = [*TRAIN, f"run_id={name}", "resume=auto"]
        run(command, self.home, before=before)
        harm(self.folder(name))
        status, output = run(command, self.home)
        self._add_run(fault, how, status, output, name, status == 0, says in told(output))

    def _add_run(
        self, fault: str, how: str, status: int, output: str, name: str, resumed: bool, expected: bool
    ) -> None:
        folder = self.folder(name)
        equal = resumed and not differences(self.folder("straight"), folder)
        clean = not list(folder.path.rglob(".*.tmp"))
        self.add(Row(fault, how, told(output), status, resumed, equal, expected and equal and clean))

    def refused(self, fault: str, how: str, command: Sequence[str], *, says: str, status: int = 2) -> None:
        """A command that is to say what is wrong and do nothing else."""
        found, output = run(command, self.home)
        self.add(Row(fault, how, told(output), found, is_as_expected=found == status and says in told(output)))


def told(output: str) -> str:
    """The sentence that a command ended with, or its warning."""
    if "Traceback" in output:
        return "TRACEBACK " + output.strip().splitlines()[-1]
    found = TOLD.findall(output)
    return " ".join(found[-1].split()) if found else ""
