"""Advice from measured facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from animeid.metrics.label_errors import suspects
from animeid.reporting.confusions import most_errors
from animeid.reporting.parts import Parts, read_together
from animeid.runs.finished import FinishedRun
from animeid.system.console import counted, some_of

FEW = 20
LOW_F1 = 0.6
NAMED = 12
SUSPECT_SHARE = 0.1
KNOWN_RECALL = 0.5


def advice(run: FinishedRun, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences, the most useful first; `rows` are the judged part's `per_class`."""
    found = [
        beaten(run),
        *read_together(Parts.of(run)),
        _gains_from_data(rows),
        most_errors(run.confusion(run.part), run.labels),
        _suspicious(run, rows),
        _calibrated(run),
    ]
    return [sentence for sentence in found if sentence]


def beaten(run: FinishedRun) -> str | None:
    """A sentence where a baseline is as good as the model."""
    own = run.judged["f1_macro"]
    baselines = run.metrics["baselines"].get(run.part, {})
    better = [name for name, figures in baselines.items() if figures["f1_macro"] >= own]
    if not better:
        return None
    name = better[0].replace("_", " ")
    if own == 1:
        return (
            f"The baseline {name} names every picture rightly, too: the part is too easy to tell a good model by. "
            "Judge it on others."
        )
    return (
        f"The model is no better than the baseline {name}: nothing else on this page means much "
        "before that changes. Train longer, look at the learning rate, or look at the pictures."
    )


def _gains_from_data(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Classes with few training pictures and a low F1, where the others of the run do better."""
    poor = [row for row in rows if row["support"] and row["train_count"] < FEW and row["f1"] < LOW_F1]
    if not poor:
        return None
    rich = [row["f1"] for row in rows if row["support"] and row["train_count"] >= FEW]
    beside = f"; those with more have a mean F1 of {100 * np.mean(rich):.1f} %" if rich else ""
    poor.sort(key=lambda row: (row["f1"], -row["support"]))
    listed = some_of([f"{row['label']} ({row['train_count']})" for row in poor], NAMED)
    return (
        f"{counted(len(poor), 'class', 'have')} under {FEW} training pictures and an F1 below "
        f"{100 * LOW_F1:.0f} %{beside}. More pictures of these would help: {listed}."
    )


def label_suspects(run: FinishedRun) -> pd.DataFrame:
    """Rows of `predictions` of the judged part whose label is probably wrong, most suspicious first."""
    return suspects(run.logits, run.judged_targets)


def _suspicious(run: FinishedRun, rows: Sequence[Mapping[str, Any]]) -> str | None:
    found = label_suspects(run)
    if found.empty or run.judged["f1_macro"] < LOW_F1:
        return None
    counts = found["target"].value_counts()
    support = np.bincount(run.targets[run.positions], minlength=len(run.labels))
    # A class that is hardly known tells nothing of its labels.
    recall = {row["label"]: row["recall"] for row in rows}
    classes = [
        target
        for target in counts.index
        if counts[target] >= max(2, SUSPECT_SHARE * support[target]) and recall[run.labels[target]] >= KNOWN_RECALL
    ]
    if not classes:
        return None
    listed = some_of([f"{run.labels[target]} ({counts[target]} of {support[target]})" for target in classes], NAMED)
    return (
        f"In {counted(len(classes), 'class')} many errors look like wrong labels: the model is surer of another "
        f"class than it "
        f"usually is of that class's own pictures. Look through {listed}."
    )


def _calibrated(run: FinishedRun) -> str | None:
    ece = run.judged.get("ece")
    if ece is None or ece < 0.1:
        return None
    return (
        f"Confidence is off by {100 * ece:.0f} points on average (ECE): do not use it as a threshold before it is "
        "scaled, and try loss.label_smoothing=0.1, mixing=mixup_cutmix or fewer epochs."
    )
