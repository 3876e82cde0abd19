"""Finished runs that name pictures together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from animeid.data.pictures import Picture
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.predictions import softmax
from animeid.runs.several import run_paths


def load_all(request: Mapping[str, Any]) -> list[Predictor]:
    """The predictors that a command asks for, which answer the same batches.

    Raises:
        InputError: there is no such run, or two have other classes.
    """
    first, *others = (Predictor.of({**request, "run": str(path)}) for path in run_paths(request["run"]))
    for other in others:
        if other.labels != first.labels:
            raise InputError(
                f"{other.folder.path} has other classes than {first.folder.path}, so that they cannot answer together: "
                "give runs of one data set"
            )
    return [first, *(replace(other, batch_size=first.batch_size) for other in others)]


def answers_of(predictors: Sequence[Predictor], paths: Sequence[Path]) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Each batch, and `[B, C]` logits of the mean of the runs' probabilities; of one run alone its own."""
    pictures: list[Picture] = list(paths)
    for batches in zip(*(predictor.batches(pictures) for predictor in predictors), strict=True):
        logits = [
            predictor.tempered(output.logits.float().cpu().numpy())
            for predictor, (_, output) in zip(predictors, batches, strict=True)
        ]
        yield batches[0][0], logits[0] if len(logits) == 1 else mean_of(logits)


def mean_of(logits: Sequence[np.ndarray]) -> np.ndarray:
    """`[B, C]` logits whose probabilities are the mean of those of each of the `[B, C]`."""
    mean = np.mean([softmax(one.astype(np.float64)) for one in logits], axis=0)
    return np.log(mean.clip(np.finfo(np.float32).tiny))
