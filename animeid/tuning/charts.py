"""Pictures of a search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from matplotlib.axes import Axes
from optuna.trial import FrozenTrial, TrialState

from animeid.plots.picture import BLUE, INK, MUTED, ORANGE, keep_integers, picture, shorten
from animeid.tuning.space import Choice, Dimension

LONGEST_NAME = 40
LONGEST_VALUE = 18
LONGEST_WORD = 17
"""Letters of a part of a key below its axis."""
AXIS_WIDTH = 1.4
"""In inches: seven axes beside one another fit a page."""
FEWEST_TRIALS = 10
"""Finished trials from which shares of the variance are told: of fewer, a forest repeats their chance."""
COLOURS = "viridis"


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
        for points, colour, name in ((whole, BLUE, "finished"), (cut, MUTED, "cut short, its best epoch")):
            if points:
                numbers, values = zip(*points, strict=True)
                axes.scatter(numbers, values, s=22, color=colour, label=name)
        numbers, values = zip(*sorted(whole), strict=True)
        axes.step(numbers, np.maximum.accumulate(values), where="post", color=ORANGE, label="best so far")
        axes.set_xlabel("trial")
        keep_integers(axes)
        axes.set_xlim(-0.5, max(trial.number for trial in trials) + 0.5)
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
        axes.barh([shorten(key, LONGEST_NAME) for key, _ in ordered], [value for _, value in ordered], color=BLUE)
        axes.grid(axis="y", visible=False)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of the variance of val f1_macro")


def draw_parallel(trials: Sequence[FrozenTrial], space: Sequence[Dimension], path: Path) -> None:
    """Draws a line a finished trial through its values to its figure, which is its colour too; the best is on top."""
    finished = sorted((t for t in trials if t.state == TrialState.COMPLETE), key=lambda trial: trial.value or 0.0)
    values = np.array([trial.value for trial in finished])
    low, high = values.min(), values.max()
    shares = (values - low) / (high - low) if high > low else np.ones(len(values))
    heights = [
        [*(height(dimension, trial.params[dimension.key]) for dimension in space), share]
        for trial, share in zip(finished, shares.tolist(), strict=True)
    ]
    figures = [(1.0, f"{high:.3f}"), *([(0.0, f"{low:.3f}")] if high > low else [])]
    names = [*(in_lines(dimension.key) for dimension in space), "val\nf1_macro"]
    with picture(path, max(7.0, AXIS_WIDTH * len(names)), 4) as figure:
        axes = figure.subplots()
        for line, colour in zip(heights, figure_colours(shares), strict=True):
            axes.plot(range(len(names)), line, color=colour, alpha=0.75, linewidth=1.4)
        for place, labels in enumerate([*map(ticks, space), figures]):
            axes.axvline(place, color=MUTED, linewidth=0.6, zorder=0)
            for at, text in labels:
                _annotate(axes, shorten(text, LONGEST_VALUE), place, at)
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.grid(visible=False)
        axes.set_yticks([])
        axes.set_ylim(-0.06, 1.06)
        axes.set_xlim(-0.1, len(names) - 0.4)
        axes.spines[["left", "right", "top", "bottom"]].set_visible(False)
        axes.set_title(f"Yellow is best: val f1_macro {low:.3f} to {high:.3f}" if high > low else "All are alike")


def _annotate(axes: Axes, text: str, place: float, at: float) -> None:
    """Writes a value beside its axis, on a ground of its own: lines run behind it."""
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
    axes.annotate(
        text, (place, at), (4, 0), textcoords="offset points", fontsize=8, color=INK, va="center", bbox=ground
    )


def in_lines(key: str) -> str:
    """A key with a line for each of its parts."""
    *above, last = (shorten(part, LONGEST_WORD) for part in key.split("."))
    return "\n".join([*(f"{part}." for part in above), last])


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
