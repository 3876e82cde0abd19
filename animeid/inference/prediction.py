"""Naming the pictures of a folder with the model of a finished run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from animeid.data.files import find_pictures
from animeid.inference.output_rows import Answer, write
from animeid.inference.predictor import Predictor, say_unreadable
from animeid.predictions import top_names
from animeid.system.console import as_text, say, say_beside
from animeid.system.files import atomic
from animeid.system.output import check_output


def predict(request: dict[str, Any]) -> None:
    """Names the pictures of `request["input"]` with the model of `request["run"]`."""
    output = check_output(request["output"], (".csv", ".jsonl"))
    paths = find_pictures(request["input"])
    predictor = Predictor.of(request)
    for note in predictor.notes:
        say_beside(note)
    k = min(request["top_k"], len(predictor.labels))
    began = time.perf_counter()
    found = answers(predictor, paths, k)
    if output is None:
        try:
            total, broken = write(found, sys.stdout, as_csv=True, k=k)
            sys.stdout.flush()
        except BrokenPipeError:  # who reads the answers wants no more of them
            leave_stdout()
            return
    else:
        with atomic(output, "w") as stream:
            total, broken = write(found, stream, as_csv=output.suffix == ".csv", k=k)
    if predictor.views is not None:
        say_beside(predictor.views.told(total, time.perf_counter() - began))
    say_unreadable([f"{answer['path']}: {answer['error']}" for answer in broken], total)
    if output:
        say(f"{total - len(broken)} pictures named in {output}")


def answers(predictor: Predictor, paths: list[Path], k: int) -> Iterator[Answer]:
    """One answer a file, as they come."""
    for batch, output in predictor.batches(list(paths)):
        names = top_names(output.logits.float().cpu().numpy(), predictor.labels, k)
        for row, error, name in zip(batch["row"].tolist(), batch["error"], names, strict=True):
            yield {"path": as_text(paths[row]), "names": [] if error else name, "error": error}


def leave_stdout() -> None:
    """Lets what is still buffered for a closed pipe go nowhere, so that nothing is said of it when Python ends."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
