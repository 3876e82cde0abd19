"""Pictures of a search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from animeid.plots.picture import picture, shorten
from animeid.tuning.space import Choice, Dimension

LONGEST_NAME = 26
FEWEST_TRIALS = 10
"""Finished trials from which shares of the variance are told: of fewer, a forest repeats their chance."""
BEST = "#c2410c"
COLOURS = "viridis"
PRUNED = "#9aa5b1"


def draw_history(trials: Sequence[FrozenTrial], path: Path) -> None:
    """Draws each trial's figure and the best so far; of one that was cut short, the best of its epochs."""
    whole = [(trial.number, trial.value) for trial in trials if trial.state == TrialState.COMPLETE]
    cut = [
        (trial.number, max(trial.intermediate_values.values()))
        for trial in trials
        if trial.state == TrialState.PRUNED and trial.intermediate_values
    ]
    with picture(path, 7, 3.4) as figure:
        axes = figure.subplots()
        for points, colour, name in ((whole, "#2563eb", "finished"), (cut, PRUNED, "cut short, its best epoch")):
            if points:
                numbers, values = zip(*points, strict=True)
                axes.scatter(numbers, values, s=22, color=colour, label=name)
        numbers, values = zip(*sorted(whole), strict=True)
        axes.step(numbers, np.maximum.accumulate(values), where="post", color=BEST, label="best so far")
        axes.set_xlabel("trial")
        axes.set_ylabel("val f1_macro")
        axes.legend(fontsize=8)


def importances(study: optuna.Study) -> dict[str, float]:
    """How much of the figure's variance each key explains (fANOVA, Hutter 2014); empty where trials are too few."""
    if sum(trial.state == TrialState.COMPLETE for trial in study.get_trials(deepcopy=False)) < FEWEST_TRIALS:
        return {}
    try:
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
        )
    except (ValueError, RuntimeError):  # all with one figure
        return {}
    return {key: float(value) for key, value in found.items()}


def draw_importance(found: dict[str, float], path: Path) -> None:
    """Draws a bar a key, the most important on top."""
    ordered = sorted(found.items(), key=lambda item: item[1])
    with picture(path, 7, 0.9 + 0.38 * len(ordered)) as figure:
        axes = figure.subplots()
        axes.barh([shorten(key, LONGEST_NAME) for key, _ in ordered], [value for _, value in ordered], color="#2563eb")
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of the variance of val f1_macro")


def draw_parallel(trials: Sequence[FrozenTrial], space: Sequence[Dimension], path: Path) -> None:
    """Draws a line a finished trial through its values to its figure, which is its colour too; the best is on top."""
    finished = sorted((t for t in trials if t.state == TrialState.COMPLETE), key=lambda trial: trial.value or 0.0)
    values = np.array([trial.value for trial in finished])
    low, high = values.min(), values.max()
    shares = (values - low) / max(high - low, 1e-12)
    heights = [
        [*(height(dimension, trial.params[dimension.key]) for dimension in space), share]
        for trial, share in zip(finished, shares.tolist(), strict=True)
    ]
    figures = [(0.0, f"{low:.3f}"), (1.0, f"{high:.3f}")] if high > low else [(0.0, f"{low:.3f}")]
    names = [*(shorten(dimension.key, 20) for dimension in space), "val f1_macro"]
    with picture(path, max(7.0, 1.9 * len(names)), 4) as figure:
        axes = figure.subplots()
        for line, colour in zip(heights, figure_colours(shares), strict=True):
            axes.plot(range(len(names)), line, color=colour, alpha=0.75, linewidth=1.4)
        for place, labels in enumerate([*map(ticks, space), figures]):
            axes.axvline(place, color="#cbd5e1", linewidth=1, zorder=0)
            for at, text in labels:
                axes.annotate(
                    shorten(text, 18), (place, at), xytext=(4, 0), textcoords="offset points", fontsize=7, va="center"
                )
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks([])
        axes.set_ylim(-0.06, 1.06)
        axes.set_xlim(-0.1, len(names) - 0.4)
        axes.spines[["left", "right", "top", "bottom"]].set_visible(False)
        axes.set_title(f"yellow is best: val f1_macro {low:.3f} to {high:.3f}", fontsize=9)


def figure_colours(shares: np.ndarray) -> np.ndarray:
    """`[N, 4]` colours of `[N]` shares, 0 to 1."""
    import matplotlib as mpl

    return np.asarray(mpl.colormaps[COLOURS](shares))


def height(dimension: Dimension, value: float | str) -> float:
    """Where a value lies on its axis, 0 to 1."""
    if isinstance(dimension, Choice):
        return dimension.options.index(str(value)) / max(len(dimension.options) - 1, 1)
    low, high, at = (np.log(x) if dimension.log else x for x in (dimension.low, dimension.high, float(value)))
    return float((at - low) / (high - low))


def ticks(dimension: Dimension) -> list[tuple[float, str]]:
    """Heights and texts of an axis."""
    if isinstance(dimension, Choice):
        return [(height(dimension, value), value) for value in dimension.options]
    return [(0.0, f"{dimension.low:g}"), (1.0, f"{dimension.high:g}")]
