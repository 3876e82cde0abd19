"""`metrics.json` of an artefact: the figures, with intervals, of what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from animeid.assembly.model import build_views
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.inference.several import mean_of
from animeid.metrics.evaluate import evaluate_split
from animeid.predictions import Predictions, softmax
from animeid.runs.comparison import check_comparable, common_order
from animeid.runs.finished import FinishedRun

CONFIDENCE_BINS = 20


def judged(predictors: Sequence[Predictor]) -> dict[str, Any] | str:
    """The figures of the part that the runs were judged by, as a run's own `metrics.json` has them, or why none.

    They are of the answers that the runs saved, with the artefact's offset of the class prior and temperature. Of runs
    that learnt from their validation part as well they are those of its twin, which did not.
    """
    if missing := _missing(predictors):
        return missing
    kept = [FinishedRun.of(predictor.folder) for predictor in predictors]
    runs = [run.answerer for run in kept]
    try:
        if len(runs) > 1:
            check_comparable(runs)
    except InputError as error:
        return str(error)
    first = runs[0]
    answers = _alone(first, predictors[0]) if len(runs) == 1 else _together(runs, predictors)
    figures = {
        "judged": first.part,
        first.part: evaluate_split(answers, first.manifest.table, predictors[0].stats),
        "answers": spread(answers.logits),
    }
    return figures if first is kept[0] else {**figures, "by_twin": True}


def spread(logits: np.ndarray) -> dict[str, list[int]]:
    """What answers look like, for whoever watches later ones: counts of pictures.

    Args:
        logits: `[N, C]`.

    Returns:
        `confidence`: by the probability of the likeliest name, in `CONFIDENCE_BINS` equal parts of 0 to 1.
        `characters`: by that name, `[C]`.
    """
    confidence = softmax(logits).max(axis=1)
    return {
        "confidence": np.histogram(confidence, CONFIDENCE_BINS, (0, 1))[0].tolist(),
        "characters": np.bincount(logits.argmax(axis=1), minlength=logits.shape[1]).tolist(),
    }


def _missing(predictors: Sequence[Predictor]) -> str:
    for predictor in predictors:
        if not predictor.folder.is_finished:
            return f"the run {predictor.folder.name} has not finished"
        if predictor.views != build_views("own", predictor.plan):
            return f"the run {predictor.folder.name} was judged in other test-time views"
        if not FinishedRun(predictor.folder).parts:
            return f"the run {predictor.folder.name} has neither a test nor a val part"
    return ""


def _alone(run: FinishedRun, predictor: Predictor) -> Predictions:
    answers = run.predictions_of(run.part)
    if predictor.model.offset is None and predictor.temperature == 1.0:
        return answers
    nothing = np.full(len(answers.rows), np.nan, np.float32)
    return Predictions(answers.rows, _logits(answers.logits, predictor), answers.embeddings, nothing)


def _together(runs: Sequence[FinishedRun], predictors: Sequence[Predictor]) -> Predictions:
    orders = [common_order(run) for run in runs]
    found = [run.predictions_at(order) for run, order in zip(runs, orders, strict=True)]
    logits = mean_of([_logits(one.logits, predictor) for one, predictor in zip(found, predictors, strict=True)])
    nothing = np.full(len(logits), np.nan, np.float32)
    return Predictions(found[0].rows, logits.astype(np.float32), found[0].embeddings, nothing)


def _logits(saved: np.ndarray, predictor: Predictor) -> np.ndarray:
    """`[N, C]` logits of the artefact's probabilities, of those that a run saved."""
    offset = predictor.model.offset
    return predictor.tempered(saved if offset is None else saved - offset.cpu().numpy())
