"""One part of `metrics.json`: every figure with its interval, its pictures and its groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from animeid.errors import InputError
from animeid.metrics.calibration import calibration_noise
from animeid.metrics.figures import PER_CLASS, FigureSet
from animeid.metrics.intervals import intervals
from animeid.metrics.sums import GroupSums, sums_of_logits, sums_of_predictions
from animeid.types import UNKNOWN_TARGET, LabelStats

Interval = list[float] | None


def evaluate(
    logits: np.ndarray, targets: np.ndarray, groups: np.ndarray, stats: LabelStats, losses: np.ndarray | None
) -> dict[str, Any]:
    """Judges logits.

    `acc_macro`, `f1_macro` and the figures of many, medium and few are means over the classes that have pictures here;
    a class's false positives come from all classes. `top5` is null with five classes or fewer. `support` counts the
    judged pictures, `groups` their groups, `unknown` the pictures that belong to no class and are not judged.

    Args:
        logits: `[N, C]`.
        targets: `[N]` int, -1 is none of the classes.
        groups: `[N]` str; pictures of one group are not independent.
        losses: `[N]`, or None where the loss is not known.

    Returns:
        Plain values for JSON; what does not exist is None.

    Raises:
        InputError: a logit is not finite.
    """
    bad = int((~np.isfinite(logits)).any(axis=1).sum())
    if bad:
        raise InputError(
            f"the model's answers to {bad} of {len(logits)} pictures are not finite numbers, so they cannot be judged: "
            "train again with a lower optimizer.lr or in full precision"
        )
    known = targets != UNKNOWN_TARGET
    if losses is None:
        losses = np.full(len(targets), np.nan)
    sums = sums_of_logits(logits[known], targets[known], groups[known], losses[known])
    return _head(known, sums) | _figures(sums, stats)


def judge_predictions(
    predicted: np.ndarray, targets: np.ndarray, groups: np.ndarray, stats: LabelStats
) -> dict[str, Any]:
    """Judges bare predictions `[N]`, as baselines make them: `evaluate` without what needs probabilities."""
    known = targets != UNKNOWN_TARGET
    sums = sums_of_predictions(predicted[known], targets[known], groups[known], stats.num_classes)
    figures = _figures(sums, stats)
    del figures["per_class"]
    return _head(known, sums) | figures


def _head(known: np.ndarray, sums: GroupSums) -> dict[str, Any]:
    return {"support": int(known.sum()), "groups": sums.num_groups, "unknown": int((~known).sum())}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _interval(ends: np.ndarray) -> Interval:
    return None if np.isnan(ends).any() else [float(end) for end in ends]


def _figures(sums: GroupSums, stats: LabelStats) -> dict[str, Any]:
    figures = FigureSet.of(sums.layout, stats)
    values = figures.values(sums.total)
    behind = figures.groups(sums)
    low, high = figures.bounds()
    ends = np.clip(intervals(sums, figures.values, behind), low[:, None], high[:, None])
    if sums.layout.with_logits:
        ece = figures.names.index("ece")
        if not values[ece] > 2 * calibration_noise(sums):
            ends[ece] = np.nan
    result: dict[str, Any] = {}
    for position, name in enumerate(figures.names):
        result |= {name: _number(values[position]), f"{name}_ci": _interval(ends[position])}
    support = sums.layout.counts(sums.total).support
    for group, members in figures.members.items():
        result[f"{group}/classes"] = int((support[members] > 0).sum())
        result[f"{group}/support"] = int(support[members].sum())
        result[f"{group}/groups"] = sums.groups_touching(members)
    size = len(figures.names)
    shape = (len(PER_CLASS), stats.num_classes)
    per_class = _per_class(values[size:].reshape(shape), ends[size:].reshape(*shape, 2), sums, stats)
    return result | {"per_class": per_class}


def _per_class(values: np.ndarray, ends: np.ndarray, sums: GroupSums, stats: LabelStats) -> list[dict[str, Any]]:
    """A dictionary a class, in target order, of values `[3, C]` and intervals `[3, C, 2]`."""
    support, groups = sums.layout.counts(sums.total).support, sums.groups_per_class()
    rows = []
    for target, label in enumerate(stats.names):
        row: dict[str, Any] = {
            "label": label,
            "support": int(support[target]),
            "groups": int(groups[target]),
            "train_count": int(stats.counts[target]),
            "shot_group": stats.shot_groups[target],
        }
        for position, name in enumerate(PER_CLASS):
            row[name] = _number(values[position, target])
            row[f"{name}_ci"] = _interval(ends[position, target])
        rows.append(row)
    return rows
