"""`metrics.json` of an artefact: the figures, with intervals, of what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from animeid.assembly.model import build_views
from animeid.deploy.spread import Spread
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.inference.several import mean_of
from animeid.metrics.evaluate import evaluate_split
from animeid.predictions import Predictions
from animeid.retrieval.neighbours import normalised
from animeid.runs.comparison import check_comparable, common_order
from animeid.runs.finished import FinishedRun


@dataclass(frozen=True)
class Judged:
    """figures: `metrics.json`. means: of `Spread`."""

    figures: dict[str, Any]
    means: np.ndarray | None


def judged(predictors: Sequence[Predictor]) -> Judged | str:
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
    table, by_twin = first.manifest.table, first is not kept[0]
    targets = table["target"].to_numpy()[answers.rows]
    spread = Spread.of(answers, targets, by_twin=any(one is not own for one, own in zip(runs, kept, strict=True)))
    figures = {
        "judged": first.part,
        first.part: evaluate_split(answers, table, predictors[0].stats),
        "answers": spread.counts,
    }
    return Judged({**figures, "by_twin": True} if by_twin else figures, spread.means)


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
    embeddings = np.concatenate([normalised(one.embeddings) for one in found], axis=1)  # as the network's
    return Predictions(found[0].rows, logits.astype(np.float32), embeddings, nothing)


def _logits(saved: np.ndarray, predictor: Predictor) -> np.ndarray:
    """`[N, C]` logits of the artefact's probabilities, of those that a run saved."""
    offset = predictor.model.offset
    return predictor.tempered(saved if offset is None else saved - offset.cpu().numpy())
