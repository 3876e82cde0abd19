"""Ensembles from saved predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from animeid.assembly.plan import FinalPlan, label_stats
from animeid.errors import InputError
from animeid.inference.evaluation import answers_in, judge, made
from animeid.inference.labelled import Pictures
from animeid.metrics.functional import negative_log_likelihood
from animeid.metrics.table import summary_table
from animeid.metrics.voting import majority, mean_probability
from animeid.predictions import Predictions, row_blocks, softmax
from animeid.runs.comparison import common_order
from animeid.runs.find import find_runs
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.system.console import say
from animeid.system.files import write_json, write_yaml

DOUBLE_BYTES = 8


def ensemble(request: Mapping[str, Any]) -> dict[str, Any]:
    """Combines the runs of `request["runs"]`, writes what `evaluate` would, and returns the figures.

    Raises:
        InputError: the runs have other classes or were judged on other pictures, or one has no validation part that
            could weigh it.
    """
    runs = find_runs(request["runs"])
    weights = validation_weights(runs) if request["vote"] == "weighted" else None
    first = runs[0]
    stats = label_stats(FinalPlan.read(first.folder.config), first.labels)
    with RunFolder.claimed(request["run_id"], OUTPUTS) as folder, made(folder):
        answers = answers_in(folder, first.part, voted(runs, request["vote"], weights))
        write_yaml(folder.request, dict(request))
        write_json(folder.path / "ensemble.json", members(runs, weights))
        left_out = pd.DataFrame({"path": [], "reason": []})
        pictures = Pictures(first.manifest, answers.rows, (), left_out)
        metrics = judge(folder, first.part, answers, pictures, stats, cost=cost_of_all(runs))
    say(table_of(runs, metrics[first.part]))
    say(summary_table(metrics))
    say(f"ensemble folder: {folder.path}")
    return metrics


def validation_weights(runs: Sequence[FinishedRun]) -> list[float]:
    """Each run's `f1_macro` on its own validation part.

    Raises:
        InputError: a run has no such part, or all are 0.
    """
    for run in runs:
        if "val" not in run.parts:
            raise InputError(
                f"vote=weighted weighs by validation, and {run.folder.path} has no val part: take vote=mean"
            )
    weights = [float(run.metrics["val"]["f1_macro"]) for run in runs]
    if not any(weights):
        raise InputError("vote=weighted weighs by validation, where all runs have f1_macro 0: take vote=mean")
    return weights


def voted(
    runs: Sequence[FinishedRun], vote: Literal["mean", "weighted", "majority"], weights: Sequence[float] | None
) -> Iterator[Predictions]:
    """The common answers, in the order of the first run's manifest, some pictures at a time."""
    orders = [common_order(run) for run in runs]
    rows = runs[0].predictions["row"].to_numpy()[orders[0]]
    back = np.argsort(rows, kind="stable")
    targets = runs[0].targets[orders[0]]
    widths = [run.logits.shape[1] + run.embeddings.shape[1] for run in runs]
    for block in row_blocks(len(back), DOUBLE_BYTES * sum(widths)):
        places = back[block]
        found = [run.predictions_at(order[places]) for run, order in zip(runs, orders, strict=True)]
        probabilities = np.stack([softmax(one.logits.astype(np.float64)) for one in found])
        chances = majority(probabilities) if vote == "majority" else mean_probability(probabilities, weights)
        yield as_predictions(rows[places], chances, side_by_side([one.embeddings for one in found]), targets[places])


def side_by_side(embeddings: Sequence[np.ndarray]) -> np.ndarray:
    """`[N, sum of D]`: runs' embeddings, each of length 1, so that distances are those of all."""
    parts = [part.astype(np.float64) for part in embeddings]
    return np.concatenate([part / np.linalg.norm(part, axis=1, keepdims=True).clip(1e-12) for part in parts], axis=1)


def as_predictions(
    rows: np.ndarray, probabilities: np.ndarray, embeddings: np.ndarray, targets: np.ndarray
) -> Predictions:
    """Probabilities as answers, whose logits are their logarithms."""
    logits = np.log(probabilities.clip(np.finfo(np.float32).tiny)).astype(np.float32)
    losses = negative_log_likelihood(logits, targets).astype(np.float32)
    return Predictions(rows, logits, embeddings.astype(np.float32), losses)


def cost_of_all(runs: Sequence[FinishedRun]) -> dict[str, float]:
    """What runs that answer together cost: the sums of their training and of their answering.

    `earlier_s`, of the stages before, is there where a run has one; a run that several start from directly counts once.
    """
    costs = [run.metrics["cost"] for run in runs]
    found = {name: round(sum(cost[name] for cost in costs), 3) for name in ("train_s", "latency_ms")}
    earlier: dict[Path, float] = {}
    for run, cost in zip(runs, costs, strict=True):
        if "earlier_s" in cost:
            start = Path(run.plan["from_run"]).resolve()
            earlier[start] = max(earlier.get(start, 0.0), cost["earlier_s"])
    return {**found, "earlier_s": round(sum(earlier.values()), 3)} if earlier else found


def cost_of_each(runs: Sequence[FinishedRun]) -> dict[str, float]:
    """What runs cost of which one answers each picture: the sum of their training, the mean of their answering."""
    together = cost_of_all(runs)
    return {**together, "latency_ms": round(together["latency_ms"] / len(runs), 3)}


def members(runs: Sequence[FinishedRun], weights: Sequence[float] | None) -> list[dict[str, Any]]:
    """Who takes part, and what an answer costs."""
    given = weights or [1.0] * len(runs)
    return [
        {"run": str(run.folder.path), "weight": weight, "latency_ms": run.metrics["cost"]["latency_ms"]}
        for run, weight in zip(runs, given, strict=True)
    ]


def table_of(runs: Sequence[FinishedRun], figures: Mapping[str, Any]) -> str:
    """Each run beside the ensemble, and what it costs in time."""
    lines = [f"{run.folder.path}: f1_macro {run.judged['f1_macro']:.3f}" for run in runs]
    latencies = [run.metrics["cost"]["latency_ms"] for run in runs]
    together = f"all {len(runs)} together: f1_macro {figures['f1_macro']:.3f}"
    return "\n".join([*lines, f"{together}, {sum(latencies):.1f} ms a picture in the place of {latencies[0]:.1f}"])
