"""Work of a run's other processes."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

from animeid.assembly.plan import FinalPlan, processes_of
from animeid.engine.launch import Launch
from animeid.engine.processes import meet
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.system.launcher import own_rank
from animeid.training.answering import answer_share, hand_over
from animeid.training.fitting import RunState, fit
from animeid.training.resume import read_run

APPEAR_S = 120.0
"""Seconds in which the files of one node must be there on another: network file systems take some."""


def announce(launch: Launch, state: RunState) -> None:
    """Says to the other processes which run it is."""
    folder = state.folder
    launch.tell(
        {
            "folder": str(folder.path),
            "checkpoint": str(state.checkpoint) if state.checkpoint else None,
            "plan": _digest(folder.config),
        }
    )


def nothing_left(launch: Launch) -> None:
    """Says to the other processes that the run is finished."""
    launch.tell({"folder": None})


def follow(launch: Launch) -> None:
    """Trains and answers beside the first process, once it has told which run.

    Raises:
        InputError: the run's folder does not appear here.
    """
    told = launch.hear()
    if told["folder"] is None:
        return
    folder = RunFolder(Path(told["folder"]))
    await_plan(folder, told["plan"])
    accompany(folder, Path(told["checkpoint"]) if told["checkpoint"] else None)


def await_plan(folder: RunFolder, plan: str, seconds: float = APPEAR_S) -> None:
    """Waits until the folder holds the plan with this digest, and what is written after it.

    Raises:
        InputError: it does not in time.
    """
    end = time.monotonic() + seconds
    while not (folder.environment.is_file() and _digest(folder.config) == plan):
        if time.monotonic() > end:
            raise InputError(
                f"the run folder {folder.path}, which the first process made, is not in {Path.cwd()} after "
                f"{seconds:.0f} s: start every process in the same folder of a file system that all nodes share"
            )
        time.sleep(0.5)


def accompany(folder: RunFolder, checkpoint: Path | None) -> None:
    """Trains and answers beside the first process, which judges and writes."""
    state = read_run(folder, FinalPlan.read(folder.config), checkpoint)
    fit(state)
    hand_over(folder, answer_share(folder, state.components, processes_of(state.components.plan)), own_rank().rank)
    meet()


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
