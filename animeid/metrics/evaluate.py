"""One part of `metrics.json`: every figure with its interval, its pictures and its groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from animeid.errors import InputError
from animeid.metrics.calibration import chance_calibration_error
from animeid.metrics.figures import PER_CLASS, FigureSet
from animeid.metrics.intervals import intervals, intervals_of_several
from animeid.metrics.pictures import PictureFigures
from animeid.metrics.sums import GroupSums, sums_of_pictures, sums_of_predictions
from animeid.predictions import Predictions
from animeid.terms import UNKNOWN_TARGET
from animeid.types import LabelStats


def evaluate(
    logits: np.ndarray, targets: np.ndarray, groups: np.ndarray, stats: LabelStats, losses: np.ndarray | None
) -> dict[str, Any]:
    """Judges logits.

    `acc_macro`, `f1_macro` and the figures of many, medium and few are means over the classes that have pictures here;
    a class's false positives come from all classes. `top5` is null with five classes or fewer. `support` counts the
    judged pictures, `groups` their groups, `unknown` the pictures that belong to no class and are not judged. The
    interval of `ece` may lie below the figure, which noise raises, and begins at 0 where chance alone explains it.

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
    pictures = PictureFigures.of(logits, targets)
    bad = int((~pictures.finite).sum())
    if bad:
        raise InputError(
            f"the model's answers to {bad} of {len(logits)} pictures are not finite numbers, so they cannot be judged: "
            "train again with a lower optimizer.lr or in full precision"
        )
    known = targets != UNKNOWN_TARGET
    if losses is None:
        losses = np.full(len(targets), np.nan)
    sums = sums_of_pictures(pictures.at(known), targets[known], groups[known], losses[known], logits.shape[1])
    figures = FigureSet.of(sums.layout, stats)
    values, ends = figures.values(sums.total), _bounded(figures, intervals(sums, figures))
    ece = figures.names.index("ece")
    if values[ece] <= chance_calibration_error(sums):
        ends[ece, 0] *= 0  # it may be 0; a missing interval stays missing
    whole = _whole(figures, values, ends) | _shots(figures, sums)
    return _head(known, sums) | whole | {"per_class": _per_class(figures, values, ends, sums, stats)}


def evaluate_split(answers: Predictions, table: pd.DataFrame, stats: LabelStats) -> dict[str, Any]:
    """One split of `metrics.json`.

    Args:
        table: of the manifest, whose rows the answers name.
    """
    rows = table.iloc[answers.rows]
    return evaluate(answers.logits, rows["target"].to_numpy(), rows["group"].to_numpy(dtype=str), stats, answers.losses)


def evaluate_predictions(
    predicted: np.ndarray, targets: np.ndarray, groups: np.ndarray, stats: LabelStats
) -> dict[str, Any]:
    """Judges bare predictions `[N]`, as baselines make them: `evaluate` without what needs probabilities or classes."""
    return evaluate_several({"": predicted}, targets, groups, stats)[""]


def evaluate_several(
    predictions: Mapping[str, np.ndarray], targets: np.ndarray, groups: np.ndarray, stats: LabelStats
) -> dict[str, dict[str, Any]]:
    """`evaluate_predictions` of several predictors' answers to the same pictures, by their names."""
    known = targets != UNKNOWN_TARGET
    sums = [
        sums_of_predictions(answers[known], targets[known], groups[known], stats.num_classes)
        for answers in predictions.values()
    ]
    figures = FigureSet.of(sums[0].layout, stats, of_classes=())
    found = intervals_of_several([(one, figures) for one in sums])
    return {
        name: _head(known, one)
        | _whole(figures, figures.values(one.total), _bounded(figures, ends))
        | _shots(figures, one)
        for name, one, ends in zip(predictions, sums, found, strict=True)
    }


def _head(known: np.ndarray, sums: GroupSums) -> dict[str, Any]:
    return {"support": int(known.sum()), "groups": sums.num_groups, "unknown": int((~known).sum())}


def _bounded(figures: FigureSet, ends: np.ndarray) -> np.ndarray:
    """Intervals `[F, 2]` within what a figure can be; NaN where there is none."""
    low, high = figures.bounds()
    return np.clip(ends, low[:, None], high[:, None])


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _interval(ends: np.ndarray) -> list[float] | None:
    return [float(end) for end in ends] if np.isfinite(ends).all() else None


def _whole(figures: FigureSet, values: np.ndarray, ends: np.ndarray) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for position, name in enumerate(figures.names):
        result |= {name: _number(values[position]), f"{name}_ci": _interval(ends[position])}
    return result


def _shots(figures: FigureSet, sums: GroupSums) -> dict[str, int]:
    """How many classes, pictures and groups stand behind the figures of many, medium and few."""
    support = sums.layout.counts(sums.total).support
    result: dict[str, int] = {}
    for group, members in figures.members.items():
        result |= {
            f"{group}/classes": int((support[members] > 0).sum()),
            f"{group}/support": int(support[members].sum()),
            f"{group}/groups": sums.groups_touching(members),
        }
    return result


def _per_class(
    figures: FigureSet, values: np.ndarray, ends: np.ndarray, sums: GroupSums, stats: LabelStats
) -> list[dict[str, Any]]:
    """A dictionary a class, in target order."""
    shape = (len(PER_CLASS), stats.num_classes)
    class_values = values[len(figures.names) :].reshape(shape)
    class_ends = ends[len(figures.names) :].reshape(*shape, 2)
    support, groups = sums.layout.counts(sums.total).support, sums.groups_per_class()
    shots = stats.shot_groups
    rows = []
    for target, label in enumerate(stats.names):
        row: dict[str, Any] = {
            "label": label,
            "support": int(support[target]),
            "groups": int(groups[target]),
            "train_count": int(stats.counts[target]),
            "shot_group": shots[target],
        }
        for position, name in enumerate(PER_CLASS):
            row[name] = _number(class_values[position, target])
            row[f"{name}_ci"] = _interval(class_ends[position, target])
        rows.append(row)
    return rows
