"""Naming the pictures of a folder with the model of a finished run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from animeid.data.files import find_pictures
from animeid.engine.threads import own_threads, take_free_threads
from animeid.inference.output_rows import Answer
from animeid.inference.outputs import Output, answers_to
from animeid.inference.predictor import Predictor
from animeid.inference.several import answers_of, load_all
from animeid.inference.unreadable import say_unreadable
from animeid.system.console import say_beside
from animeid.system.load import Moment


@own_threads()
def predict(request: dict[str, Any]) -> None:
    """Names the pictures of `request["input"]` with the model of `request["run"]`, or with several together."""
    output = Output.of(request)
    paths = find_pictures(request["input"])
    output.say_if_within(request["input"])
    started = Moment.now()
    predictors = load_all(request)
    threads = take_free_threads(started)
    computing = [f"computing with {threads.told}"] if threads.reason else []
    predictor = predictors[0]
    for note in dict.fromkeys([*(note for one in predictors for note in one.notes), *computing]):
        say_beside(note)
    if len(predictors) > 1:
        say_beside(
            f"answering by the mean of {len(predictors)} runs: {', '.join(str(p.folder.path) for p in predictors)}"
        )
    k = min(request["top_k"], len(predictor.labels))
    began = time.perf_counter()
    counts = output.write(answers(predictors, paths, k), predictor.labels, k)
    if counts is None:
        return
    total, broken = counts
    if predictor.views is not None:
        say_beside(predictor.views.told(total, time.perf_counter() - began))
    say_unreadable([f"{answer['path']}: {answer['error']}" for answer in broken], total, predictor.incomplete)
    output.tell(total - len(broken))


def answers(predictors: list[Predictor], paths: list[Path], k: int) -> Iterator[tuple[Path, Answer]]:
    """One answer a file, as they come."""
    for batch, logits in answers_of(predictors, paths):
        yield from answers_to(
            [paths[row] for row in batch["row"].tolist()], batch["error"], logits, predictors[0].labels, k
        )
