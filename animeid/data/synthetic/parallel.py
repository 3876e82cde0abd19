"""Draws a cast with several processes and shows how far they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import animeid
from animeid.data.synthetic.settings import CastSettings
from animeid.data.synthetic.worker import Bbox, draw_share
from animeid.system.progress import progress

_WORKER = "animeid.data.synthetic.worker"


def draw_all(folder: Path, settings: CastSettings, total: int, processes: int) -> list[Bbox]:
    """Draws the whole plan of `total` pictures below `folder`; returns their bounding boxes in the plan's order.

    Raises RuntimeError when a process ends early.
    """
    processes = max(1, min(processes, total))
    drawn = _here(folder, settings) if processes == 1 else _elsewhere(folder, settings, processes)
    bboxes = dict(progress(drawn, total, "drawing the built-in cast"))
    if len(bboxes) != total:
        raise RuntimeError(f"only {len(bboxes)} of {total} pictures of the built-in cast were drawn")
    return [bboxes[index] for index in range(total)]


def _here(folder: Path, settings: CastSettings) -> Iterator[tuple[int, Bbox]]:
    return draw_share(folder, settings, 0, 1)


def _elsewhere(folder: Path, settings: CastSettings, processes: int) -> Iterator[tuple[int, Bbox]]:
    """What the workers report, as it comes; they share one pipe, in which a short line stays whole."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as reports, _workers(folder, settings, processes, writing):
        for line in reports:
            index, *bbox = map(int, line.split())
            left, top, right, bottom = bbox
            yield index, (left, top, right, bottom)


@contextmanager
def _workers(folder: Path, settings: CastSettings, processes: int, writing: int) -> Iterator[None]:
    """Runs the workers, whose reports go to the pipe's end `writing`, and sees to it that none outlives us."""
    started: list[subprocess.Popen[str]] = []
    try:
        try:
            started += [_start(folder, settings, first, processes, writing) for first in range(processes)]
        finally:
            os.close(writing)
        yield
        if any(worker.wait() for worker in started):
            raise RuntimeError("a process that drew the built-in cast failed; its error stands above")
    finally:
        for worker in started:
            worker.kill()
            worker.wait()


def _start(folder: Path, settings: CastSettings, first: int, step: int, writing: int) -> subprocess.Popen[str]:
    search = [str(Path(animeid.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, search)), "OMP_NUM_THREADS": "1"}
    worker = subprocess.Popen(
        [sys.executable, "-m", _WORKER], stdin=subprocess.PIPE, stdout=writing, env=environment, text=True
    )
    order = {"folder": str(folder.resolve()), "settings": asdict(settings), "first": first, "step": step}
    _send(worker.stdin, order)
    return worker


def _send(stream: IO[str] | None, order: dict[str, object]) -> None:
    assert stream is not None
    with stream:
        json.dump(order, stream)
