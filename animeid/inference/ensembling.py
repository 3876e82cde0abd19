"""What `python -m animeid.ensemble` does: several finished runs answer as one, from their saved answers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from animeid.assembly.plan import FinalPlan, label_stats
from animeid.errors import InputError
from animeid.inference.evaluation import save
from animeid.inference.labelled import Pictures
from animeid.metrics.functional import negative_log_likelihood
from animeid.metrics.table import summary_table
from animeid.metrics.voting import majority, mean_probability
from animeid.predictions import Predictions, softmax
from animeid.reporting.comparison import find_runs
from animeid.runs.finished import Saved
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.runs.predictions import evaluate_split
from animeid.system.console import say
from animeid.system.files import write_json, write_yaml


def ensemble(request: Mapping[str, Any]) -> dict[str, Any]:
    """Combines the runs of `request["runs"]`, writes what `evaluate` would, and returns the figures.

    Raises:
        InputError: the runs have other classes or were judged on other pictures, or one has no validation part that
            could weigh it.
    """
    runs = find_runs(request["runs"])
    check_classes(runs)
    weights = validation_weights(runs) if request["vote"] == "weighted" else None
    folder = RunFolder.reserve(request["run_id"], OUTPUTS)
    first = runs[0]
    probabilities = np.stack([aligned(saved, "logits", softmaxed=True) for saved in runs])
    vote = majority(probabilities) if request["vote"] == "majority" else mean_probability(probabilities, weights)
    answers = as_answers(first, vote, joined_embeddings(runs))
    stats = label_stats(FinalPlan.from_dict(first.plan), first.labels)
    metrics = {
        first.part: evaluate_split(answers, first.manifest, stats),
        "cost": cost_of_all(runs),
    }
    folder.create()
    write_yaml(folder.request, dict(request))
    write_json(folder.path / "ensemble.json", members(runs, weights))
    left_out = pd.DataFrame({"path": [], "reason": []})
    save(folder, first.part, answers, Pictures(first.manifest, answers.rows, (), left_out), first.labels, metrics)
    say(table_of(runs, metrics[first.part]))
    say(summary_table(metrics))
    say(f"ensemble folder: {folder.path}")
    return metrics


def check_classes(runs: Sequence[Saved]) -> None:
    """Raises:
    InputError: two runs have other classes.
    """
    for other in runs[1:]:
        if other.labels != runs[0].labels:
            raise InputError(
                f"{other.folder.path} has other classes than {runs[0].folder.path}: "
                "an ensemble needs runs of one data set"
            )


def validation_weights(runs: Sequence[Saved]) -> list[float]:
    """Each run's `f1_macro` on its own validation part.

    Raises:
        InputError: a run has no such part, or all are 0.
    """
    for saved in runs:
        if not saved.metrics.get("val"):
            raise InputError(
                f"vote=weighted weighs by validation, and {saved.folder.path} has no val part: take vote=mean"
            )
    weights = [float(saved.metrics["val"]["f1_macro"]) for saved in runs]
    if not any(weights):
        raise InputError("vote=weighted weighs by validation, where all runs have f1_macro 0: take vote=mean")
    return weights


def aligned(saved: Saved, what: str, *, softmaxed: bool = False) -> np.ndarray:
    """`[N, ...]` saved logits or embeddings of the judged part, in an order that is the same for all runs."""
    values = np.load(getattr(saved.folder, what), mmap_mode="r")[saved.positions[order(saved)]].astype(np.float64)
    return softmax(values) if softmaxed else values


def order(saved: Saved) -> np.ndarray:
    """`[N]` places of the judged part's pictures, by content and path."""
    rows = saved.predictions.iloc[saved.positions]
    sha256 = saved.manifest.table["sha256"].to_numpy()[rows["row"].to_numpy()]
    return np.lexsort((rows["path"].to_numpy(str), sha256.astype(str)))


def joined_embeddings(runs: Sequence[Saved]) -> np.ndarray:
    """`[N, sum of D]`: the runs' embeddings side by side, each of length 1, so that distances are those of all."""
    parts = [aligned(saved, "embeddings") for saved in runs]
    return np.concatenate([part / np.linalg.norm(part, axis=1, keepdims=True).clip(1e-12) for part in parts], axis=1)


def as_answers(first: Saved, probabilities: np.ndarray, embeddings: np.ndarray) -> Predictions:
    """Probabilities and embeddings, in the common order, as answers in the order of the first run's manifest."""
    places = first.positions[order(first)]
    rows = first.predictions["row"].to_numpy()[places]
    back = np.argsort(rows, kind="stable")
    logits = np.log(probabilities.clip(np.finfo(np.float32).tiny))[back].astype(np.float32)
    targets = first.predictions["target"].to_numpy()[places][back]
    losses = negative_log_likelihood(logits, targets).astype(np.float32)
    return Predictions(rows[back], logits, embeddings[back].astype(np.float32), losses)


def cost_of_all(runs: Sequence[Saved]) -> dict[str, float]:
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


def cost_of_each(runs: Sequence[Saved]) -> dict[str, float]:
    """What runs cost of which one answers each picture: the sum of their training, the mean of their answering."""
    together = cost_of_all(runs)
    return {**together, "latency_ms": round(together["latency_ms"] / len(runs), 3)}


def members(runs: Sequence[Saved], weights: Sequence[float] | None) -> list[dict[str, Any]]:
    """Who takes part, and what an answer costs."""
    given = weights or [1.0] * len(runs)
    return [
        {"run": str(Path(saved.folder.path)), "weight": weight, "latency_ms": saved.metrics["cost"]["latency_ms"]}
        for saved, weight in zip(runs, given, strict=True)
    ]


def table_of(runs: Sequence[Saved], figures: Mapping[str, Any]) -> str:
    """Each run beside the ensemble, and what it costs in time."""
    lines = [f"{saved.folder.path}: f1_macro {saved.judged['f1_macro']:.3f}" for saved in runs]
    latencies = [saved.metrics["cost"]["latency_ms"] for saved in runs]
    together = f"all {len(runs)} together: f1_macro {figures['f1_macro']:.3f}"
    return "\n".join([*lines, f"{together}, {sum(latencies):.1f} ms a picture in the place of {latencies[0]:.1f}"])
