"""`python -m animeid.deploy.compare.fresh`: a process that answers for the first time, and how much memory that takes.

Linux keeps the peak of whoever started a process in `ru_maxrss`, so that the process's own is read from elsewhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from animeid.deploy.compare.contender import Contender, Kind
from animeid.errors import InputError

STATUS = Path("/proc/self/status")
TOGETHER = 8
"""Pictures that the process answers after the first."""


class Fresh(NamedTuple):
    """What a fresh process took.

    memory_mib: its peak of memory. first_answer_s: seconds from its start to its first answer.
    """

    memory_mib: float
    first_answer_s: float


def measure_fresh(kind: Kind, path: Path, accelerator: str, threads: int) -> Fresh:
    """Has a new process load a model and answer one picture, then eight.

    Raises:
        InputError: the process did not come to its end.
    """
    command = [sys.executable, "-m", "animeid.deploy.compare.fresh", kind, str(path), accelerator, str(threads)]
    began = time.time()
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if ended.returncode:
        said = ended.stderr.strip().splitlines()[-1:] or [f"exit status {ended.returncode}"]
        raise InputError(f"{path} could not be answered by in a process of its own: {said[0]}")
    found = json.loads(ended.stdout.splitlines()[-1])
    return Fresh(found["memory_mib"], found["answered_at"] - began)


def peak_memory_mib() -> float:
    """The peak of this process's memory; that of a GPU is not part of it."""
    if STATUS.is_file():
        lines = STATUS.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def open_contender(kind: Kind, path: Path, accelerator: str, threads: int) -> Contender:
    """The model of a folder, which answers with so many threads from here on; only that of a run imports torch.

    Raises:
        InputError: there is none that answers.
    """
    if kind == "artefact":
        from animeid.deploy.compare.artefact_contender import ArtefactContender

        return ArtefactContender.open(path, threads)
    import torch

    from animeid.deploy.compare.run_contender import RunContender

    torch.set_num_threads(threads)
    return RunContender.open(path, accelerator)


def main(arguments: Sequence[str]) -> None:
    kind, path, accelerator, threads = arguments
    assert kind in ("run", "artefact")
    contender = open_contender(kind, Path(path), accelerator, int(threads))  # type: ignore[arg-type]
    contender.answer(np.zeros((1, *contender.image_size, 3), np.uint8))
    answered_at = time.time()
    contender.answer(np.zeros((TOGETHER, *contender.image_size, 3), np.uint8))
    print(json.dumps({"memory_mib": peak_memory_mib(), "answered_at": answered_at}))  # noqa: T201 - for `measure_fresh`


if __name__ == "__main__":
    main(sys.argv[1:])
