"""The gate of a pruned run: what it has lost of the run that it was pruned from, and whether that passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from animeid.assembly.frozen import plain
from animeid.assembly.plan import FinalPlan
from animeid.data.prepare import Prepared
from animeid.inference.predictor import Predictor
from animeid.metrics.adjustment import f1_macro_of
from animeid.metrics.paired import paired_difference
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.system.console import say
from animeid.terms import UNKNOWN_TARGET

MOST_LOST = 0.005
"""Of f1_macro on validation, as a share."""


def gate(plan: FinalPlan, prepared: Prepared, answers: Predictions) -> dict[str, Any]:
    """`pruning` of `metrics.json`; nothing where nothing was pruned.

    `lost` is the f1_macro of the earlier run on the val part less that of this one, with the 95 % interval of the test
    in pairs; `accepted` is whether it is at most `most_lost`.

    Args:
        answers: to the val part.
    """
    saved = plan.facts.pruning
    if saved is None:
        return {}
    earlier, found = RunFolder(Path(plan["from_run"])), {**plain(saved), "most_lost": MOST_LOST}
    if not earlier.best.is_file():
        say(f"WARNING: {earlier.path} is gone, so that what pruning has lost cannot be told, and it is not accepted")
        return {"pruning": {**found, "accepted": False}}
    table = prepared.manifest.table
    known = table["target"].to_numpy()[answers.rows] != UNKNOWN_TARGET
    rows = table.iloc[answers.rows[known]]
    predictor = Predictor.load(earlier.path, accelerator=plan.trainer.accelerator, num_workers=0)
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
    return {"pruning": {**found, **judged, "accepted": bool(lost.difference <= MOST_LOST)}}
