"""Outcome of a job, from its folder."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from animeid.errors import InputError, MachineError
from animeid.runs.claiming import unused_number
from animeid.runs.folder import RunFolder

if TYPE_CHECKING:
    from animeid.runs.finished import FinishedRun

ERROR = "error.txt"


@dataclass(frozen=True)
class Outcome:
    """The state of a job's folder.

    run: a finished job's.
    error: the sentence of a failed job.
    has_crashed: whether it failed by a bug rather than by bad input.
    """

    state: Literal["finished", "failed", "not finished", "not begun"]
    run: FinishedRun | None = None
    error: str = ""
    has_crashed: bool = False

    @property
    def is_finished(self) -> bool:
        return self.state == "finished"

    def figure(self, part: str, name: str) -> float | None:
        """A figure of `metrics.json`; None where it has no such part, or the part no such figure."""
        return None if self.run is None else self.run.figure(part, name)


def outcome(folder: RunFolder) -> Outcome:
    if folder.is_finished:
        from animeid.runs.finished import FinishedRun  # reads tables, and every command imports this

        return Outcome("finished", FinishedRun(folder))
    error = folder.path / ERROR
    if error.is_file():
        sentence, _, rest = error.read_text(encoding="utf-8").partition("\n")
        return Outcome("failed", error=sentence, has_crashed=bool(rest.strip()))
    return Outcome("not begun" if folder.is_empty else "not finished")


def sentence_of(error: Exception) -> str:
    """An exception on one line."""
    words = " ".join(str(error).split())
    return words if isinstance(error, InputError | MachineError) else f"{type(error).__name__}: {words}"


def write_error(folder: RunFolder, error: Exception) -> Path:
    """Writes `error.txt`: the sentence on the first line, and below it the traceback of a crash."""
    folder.path.mkdir(parents=True, exist_ok=True)
    lines = [sentence_of(error), ""]
    if not isinstance(error, InputError):
        lines += ["".join(traceback.format_exception(error))]
    path = folder.path / ERROR
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def make_way(folder: RunFolder, *, keeps_half: bool) -> Path | None:
    """Readies the folder of a job that is not finished for another try.

    Args:
        keeps_half: leave what is there, for a job that goes on from its last checkpoint.

    Returns:
        Where the half folder was moved; None where there was nothing to move.
    """
    (folder.path / ERROR).unlink(missing_ok=True)
    # Without a plan there is nothing to go on from.
    if (keeps_half and folder.config.is_file()) or outcome(folder).state != "not finished":
        return None
    aside = unused_number(folder.path.with_name(f"{folder.path.name}.unfinished"), 1)
    folder.path.rename(aside)
    return aside
