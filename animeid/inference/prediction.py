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
from animeid.inference.predictor import Predictor
from animeid.inference.several import answers_of, load_all
from animeid.inference.sorting import NAMES, check_folder, filled, folder_names, is_folder, sort
from animeid.inference.unreadable import say_unreadable
from animeid.predictions import top_names
from animeid.system.console import as_text, counted, say, say_beside
from animeid.system.files import atomic
from animeid.system.load import Moment
from animeid.system.output import check_output
from animeid.system.streams import let_go


@own_threads()
def predict(request: dict[str, Any]) -> None:
    """Names the pictures of `request["input"]` with the model of `request["run"]`, or with several together."""
    given = request["output"]
    folder = check_folder(given) if given is not None and is_folder(given) else None
    output = check_output(given, ENDINGS) if folder is None else folder / NAMES
    paths = find_pictures(request["input"])
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
    pairs = answers(predictors, paths, k)
    if folder is not None:
        with filled(folder) as partial, atomic(partial / NAMES, "w") as stream:
            names = folder_names(predictor.labels)
            found = sort(pairs, partial, request["sort"], request["unknown_below"], names)
            total, broken = write(found, stream, as_csv=True, k=k)
    elif output is None:
        try:
            total, broken = write((answer for _, answer in pairs), sys.stdout, as_csv=True, k=k)
            sys.stdout.flush()
        except BrokenPipeError:  # who reads the answers wants no more of them
            let_go(sys.stdout)
            return
    else:
        with atomic(output, "w") as stream:
            total, broken = write((answer for _, answer in pairs), stream, as_csv=output.suffix == ".csv", k=k)
    if predictor.views is not None:
        say_beside(predictor.views.told(total, time.perf_counter() - began))
    say_unreadable([f"{answer['path']}: {answer['error']}" for answer in broken], total, predictors[0].incomplete)
    if folder is not None:
        what = "copied into" if request["sort"] == "copy" else "linked in"
        say(f"{counted(total - len(broken), 'picture', 'were')} {what} {folder}; all answers are in {output}")
    elif output:
        say(f"{counted(total - len(broken), 'picture')} named in {output}")


def answers(predictors: list[Predictor], paths: list[Path], k: int) -> Iterator[tuple[Path, Answer]]:
    """One answer a file, as they come."""
    for batch, logits in answers_of(predictors, paths):
        names = top_names(logits, predictors[0].labels, k)
        for row, error, name in zip(batch["row"].tolist(), batch["error"], names, strict=True):
            yield paths[row], {"path": as_text(paths[row]), "names": [] if error else name, "error": error}
