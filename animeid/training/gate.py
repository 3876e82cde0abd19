"""The gate of a pruned run: what it has lost of the run that it was pruned from, and whether that passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from animeid.assembly.frozen import plain
from animeid.assembly.plan import FinalPlan
from animeid.data.prepare import Prepared
from animeid.inference.predictor import Predictor
from animeid.metrics.adjustment import f1_macro_of
from animeid.metrics.paired import MOST_LOST, paired_difference
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.runs.lineage import lineage
from animeid.runs.saved import SavedRun
from animeid.system.console import say
from animeid.terms import UNKNOWN_TARGET


def gate(plan: FinalPlan, prepared: Prepared, answers: Predictions) -> dict[str, Any]:
    """`pruning` of `metrics.json`, for a run that prunes, and for one that goes on from such a run.

    `lost` is the f1_macro on the val part of the nearest run whose network was whole, less that of this one, with the
    95 % interval of the test in pairs; `accepted` is whether it is at most `most_lost`.

    Args:
        answers: to the val part.

    Returns:
        Nothing where the network is whole, or that run has other classes.
    """
    if not plan["model"].get("shapes"):
        return {}
    earlier = lineage(plan).runs
    whole = next((run for run in earlier if not SavedRun(run).plan["model"].get("shapes")), None)
    found = {**_saved(plan, earlier), "most_lost": MOST_LOST}
    if whole is None or not whole.best.is_file():
        say("WARNING: the run that was pruned is gone: what was lost cannot be told, and this one is not accepted")
        return {"pruning": {**found, "accepted": False}}
    if SavedRun(whole).labels != tuple(prepared.labels):
        return {}
    return {"pruning": {**found, **_judged(whole, plan, prepared, answers)}}


def _saved(plan: FinalPlan, earlier: Sequence[RunFolder]) -> dict[str, Any]:
    """What pruning has saved, by the run that pruned; nothing where that is gone."""
    told = [plan.facts.pruning, *(SavedRun(run).plan["facts"].get("pruning") for run in earlier)]
    return plain(next((facts for facts in told if facts), {}))


def _judged(whole: RunFolder, plan: FinalPlan, prepared: Prepared, answers: Predictions) -> dict[str, Any]:
    """What is lost on the pictures of val that can still be read."""
    table = prepared.manifest.table
    known = table["target"].to_numpy()[answers.rows] != UNKNOWN_TARGET
    rows = table.iloc[answers.rows[known]]
    predictor = Predictor.load(whole.path, accelerator=plan.trainer.accelerator, num_workers=0)
    asked = predictor([prepared.manifest.root / path for path in rows["path"]])
    kept = asked.rows  # what cannot be read any more is left out of both
    targets, groups = rows["target"].to_numpy()[kept], rows["group"].to_numpy(dtype=str)[kept]
    before, after = asked.logits.argmax(axis=1), answers.logits[known][kept].argmax(axis=1)
    classes = len(prepared.labels)
    lost = paired_difference(targets, groups, before, after, classes)
    named = {"before": before, "after": after}
    scores = {when: f1_macro_of(answer, targets, classes) for when, answer in named.items()}
    interval = None if lost.low is None or lost.high is None else [lost.low, lost.high]
    judged = {"f1_macro": scores, "lost": lost.difference, "lost_ci": interval, "pictures": len(kept)}
    return {**judged, "accepted": bool(lost.difference <= MOST_LOST)}
