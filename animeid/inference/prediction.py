"""Naming the pictures of a folder with the model of a finished run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from animeid.data.files import find_pictures
from animeid.engine.threads import own_threads, take_free_threads
from animeid.inference.output_rows import ENDINGS, Answer, write
from animeid.inference.predictor import Predictor, say_unreadable
from animeid.predictions import top_names
from animeid.system.console import as_text, counted, say, say_beside
from animeid.system.files import atomic
from animeid.system.load import Moment
from animeid.system.output import check_output
from animeid.system.streams import let_go


@own_threads()
def predict(request: dict[str, Any]) -> None:
    """Names the pictures of `request["input"]` with the model of `request["run"]`."""
    output = check_output(request["output"], ENDINGS)
    paths = find_pictures(request["input"])
    started = Moment.now()
    predictor = Predictor.of(request)
    threads = take_free_threads(started)
    for note in (*predictor.notes, *([f"computing with {threads.told}"] if threads.reason else [])):
        say_beside(note)
    k = min(request["top_k"], len(predictor.labels))
    began = time.perf_counter()
    found = answers(predictor, paths, k)
    if output is None:
        try:
            total, broken = write(found, sys.stdout, as_csv=True, k=k)
            sys.stdout.flush()
        except BrokenPipeError:  # who reads the answers wants no more of them
            let_go(sys.stdout)
            return
    else:
        with atomic(output, "w") as stream:
            total, broken = write(found, stream, as_csv=output.suffix == ".csv", k=k)
    if predictor.views is not None:
        say_beside(predictor.views.told(total, time.perf_counter() - began))
    say_unreadable([f"{answer['path']}: {answer['error']}" for answer in broken], total)
    if output:
        say(f"{counted(total - len(broken), 'picture')} named in {output}")


def answers(predictor: Predictor, paths: list[Path], k: int) -> Iterator[Answer]:
    """One answer a file, as they come."""
    for batch, output in predictor.batches(list(paths)):
        names = top_names(output.logits.float().cpu().numpy(), predictor.labels, k)
        for row, error, name in zip(batch["row"].tolist(), batch["error"], names, strict=True):
            yield {"path": as_text(paths[row]), "names": [] if error else name, "error": error}
